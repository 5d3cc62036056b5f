"""What one more of something costs, what a study would cost otherwise, and on which GPU."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from brainstruct.config.models import Model
from brainstruct.planning.amounts import Amounts, is_layer
from brainstruct.planning.calibration import Estimate
from brainstruct.planning.costs import FITTING, arithmetic_seconds, embed_seconds
from brainstruct.planning.report import Assumptions, Price
from brainstruct.store.resources import table_beside

CARDS = table_beside(__file__, "cards.toml")

REFERENCE = "A100 40 GB"
"""What it reaches is assumed, see `Assumptions`; others reach the same share of what they could."""

EVERY = 4
"""Of layers, in a cheaper study: neighbours say nearly the same."""


@dataclass(frozen=True)
class Part:
    """The share of a job that one of its outputs has, and whose it is: hours, and bytes."""

    kind: str
    model: str
    subject: str
    instruction: str
    is_layer: bool
    gpu_hours: float
    core_hours: float
    bytes: float


Factors = tuple[float, float]
"""Of the time of a part, and of its bytes."""


class Prices:
    """The estimates of a study's jobs, divided by what they are of."""

    def __init__(self, estimates: Sequence[Estimate], amounts: Amounts) -> None:
        self._amounts, self._study = amounts, amounts.study
        self._embedding = [one.job for one in estimates if one.job.kind == "embed"]
        self._estimates = estimates
        self._parts = [part for one in estimates for part in self._divide(one)]

    def _divide(self, estimate: Estimate) -> Iterator[Part]:
        job = estimate.job
        n, wild = len(job.outputs), job.wildcards
        hours = estimate.cost.seconds / 3600 / n
        for output in job.outputs:
            told = Path(output).parent.name if job.kind == "embed" else wild.get("instruction", "")
            yield Part(
                kind=job.kind,
                model=wild.get("model", ""),
                subject=wild.get("subject") or self._owner(wild.get("block", "")),
                instruction=told,
                is_layer=is_layer(output),
                gpu_hours=hours * job.gpus,
                core_hours=hours * job.threads,
                bytes=estimate.size / n,
            )

    def _owner(self, block: str) -> str:
        """Return the subject that alone saw the images of a block, if there is one."""
        name, sets = block.rsplit("-", 1)[0], self._amounts.dataset.image_sets_of
        owners = [subject for subject in self._study.subjects if name in sets(subject)]
        return owners[0] if len(owners) == 1 else ""

    def one_more(self) -> list[Price]:
        """Return what an instruction, a subject, a layer and each model cost, of those there are.

        The mean of each kind. What compares pairs of models or of instructions grows besides; a
        layer is embedded with others. Exports, which no other target makes, stand last.
        """
        study = self._study
        n_told = len({part.instruction for part in self._parts} & set(study.instructions))

        def of_layers(part: Part) -> Factors:
            if not (part.is_layer or part.kind == "embed"):
                return 0.0, 0.0
            one = 1 / len(study.model(part.model).fitted_layers)
            return (0.0 if part.kind == "embed" else one), one

        found = [self._sum("a subject", lambda part: _if(part.subject, len(study.subjects)))]
        if n_told:
            what = "an instruction, for all models"
            told = set(study.instructions)
            found.append(self._sum(what, lambda part: _if(part.instruction in told, n_told)))
        found.append(self._sum("a layer, of all models", of_layers))
        found += [self._sum(model.label, _of(model.key)) for model in study.models]
        if study.dataset.lie == "volume":
            assumed, n = self._amounts.assumed, len(study.subjects) * len(study.models)
            what = f"the target exports: {n * assumed.export_files:,} files"
            hours, size = n * assumed.export_s / 3600, n * assumed.export_bytes
            found.append(Price(what=what, gpu_hours=0, core_hours=hours, bytes=size))
        return found

    def cheaper(self) -> list[Price]:
        """Return what the study costs, and would cost otherwise while it asks the same."""
        study = self._study
        whole = {model.key for model in study.models if model.layers == "all"}
        ways: dict[str, Callable[[Part], Factors]] = {"as it is": lambda _: (1.0, 1.0)}

        def fewer_layers(part: Part) -> Factors:
            if part.model not in whole or not (part.is_layer or part.kind == "embed"):
                return 1.0, 1.0
            n = study.model(part.model).n_layers
            share = len(range(0, n, EVERY)) / n
            return (1.0 if part.kind == "embed" else share), share

        if whole:
            ways[f"models[].layers: each {EVERY}th"] = fewer_layers
        alone = {model.key: study.instructions_of(model)[0] for model in _drawn(study.models)}

        def one_instruction(part: Part) -> Factors:
            first = alone.get(part.model)
            return _if(first is None or part.instruction in ("", first))

        if any(len(study.instructions_of(model)) > 1 for model in _drawn(study.models)):
            ways["random models with one instruction"] = one_instruction
        once = self._once()

        def together(part: Part) -> Factors:
            return (once.get(part.model, 1.0) if part.kind == "embed" else 1.0), 1.0

        if min(once.values(), default=1.0) < 1.0:
            ways["embedding.instructions_per_job: all"] = together
        if len(ways) > 2:
            chosen = list(ways.values())
            ways["all of these"] = lambda part: (
                prod(way(part)[0] for way in chosen),
                prod(way(part)[1] for way in chosen),
            )
        found = [self._sum(name, way) for name, way in ways.items()]
        if not study.encoding.gpus:
            found.append(self._on_gpus(found[0]))
        return found if len(found) > 1 else []

    def _on_gpus(self, usual: Price) -> Price:
        """Return what the study costs if fits and partitions of variance ask for GPUs."""
        core, gpu = usual.core_hours, usual.gpu_hours
        for one in self._estimates:
            if one.job.kind in FITTING:
                there = arithmetic_seconds(replace(one.job, gpus=1), self._amounts)
                here = arithmetic_seconds(one.job, self._amounts)
                hours = (max(one.cost.seconds - here, 0.0) + there) / 3600
                core += (hours - one.cost.seconds / 3600) * one.job.threads
                gpu += hours
        return Price(what="encoding.gpus: 1", gpu_hours=gpu, core_hours=core, bytes=usual.bytes)

    def by_card(self) -> dict[str, float]:
        """Return the hours of embedding on each kind of GPU whose memory holds the largest model.

        By arithmetic alone, whatever was measured, for nobody knows on which GPU that was.
        """
        jobs = [job for job in self._embedding if job.gpus]
        if not jobs:
            return {}
        usual, reference = self._amounts.assumed, CARDS[REFERENCE]
        networks = self._amounts.networks
        largest = max(networks[job.wildcards["model"]].held_bytes for job in jobs)
        found = {}
        for name, card in CARDS.items():
            reached = Assumptions(
                gpu_tflops=usual.gpu_tflops * card["tflops"] / reference["tflops"],
                gpu_gb_per_s=usual.gpu_gb_per_s * card["gb_per_s"] / reference["gb_per_s"],
            )
            if largest < card["memory_gb"] * 1e9:
                seconds = sum(embed_seconds(job, self._amounts, reached) for job in jobs)
                found[name] = seconds / 3600
        return found

    def _once(self) -> dict[str, float]:
        """Model -> share of its hours that are left if one job gives it all instructions."""
        found = {}
        for model in self._study.models:
            jobs = [job for job in self._embedding if job.wildcards["model"] == model.key]
            n = len(self._study.instructions_of(model))
            if jobs and n > 1:
                usual = sum(
                    embed_seconds(job, self._amounts, self._amounts.assumed) for job in jobs
                )
                blocks = {job.wildcards["block"]: job for job in jobs}.values()
                once = sum(
                    embed_seconds(job, self._amounts, self._amounts.assumed, n) for job in blocks
                )
                found[model.key] = min(once / usual, 1.0)
        return found

    def _sum(self, what: str, factors: Callable[[Part], Factors]) -> Price:
        """Sum up the parts, each times its factors."""
        gpu = core = size = 0.0
        for part in self._parts:
            time, stored = factors(part)
            gpu += time * part.gpu_hours
            core += time * part.core_hours
            size += stored * part.bytes
        return Price(what=what, gpu_hours=gpu, core_hours=core, bytes=size)


def _if(counts: object, of: int = 1) -> Factors:
    """Return the factors of what counts, as one of so many, or does not."""
    share = 1 / of if counts else 0.0
    return share, share


def _of(model: str) -> Callable[[Part], Factors]:
    """Return what counts the parts of a model."""
    return lambda part: _if(part.model == model)


def _drawn(models: Iterable[Model]) -> list[Model]:
    """Return the models whose weights are drawn."""
    return [model for model in models if model.random_seed is not None]
