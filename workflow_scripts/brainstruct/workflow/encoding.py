"""What rules/encoding.smk takes: fits, scores, predictions, winners, regional tables."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brainstruct.config.encoding import Divisor, FitSettings
from brainstruct.config.models import Model
from brainstruct.store.ledger import Entry, Ledger
from brainstruct.workflow.models import ModelRoom
from brainstruct.workflow.room import LONGEST_NAME, Room, Wildcards, bounded, chunks, file


@dataclass(frozen=True)
class FitJob:
    """Layers that one job fits."""

    layers: tuple[int, ...]
    n_fitted: int  # layers of the model that are fitted, by this job and others
    models: tuple[str, ...]  # keys of those that have such a job
    predicts: bool  # whether it keeps predictions at the best layer, having seen all of them

    @property
    def name(self) -> str:
        """Name of its rule; no two sets of layers share one."""
        first, last = self.layers[0], self.layers[-1]
        # All layers of a model whose predictions other jobs make.
        apart = "" if self.predicts or len(self.layers) < self.n_fitted else "_apart"
        if len(self.layers) == last - first + 1:
            return f"fit_ridge_{first}_to_{last}_of_{self.n_fitted}{apart}"
        name = f"fit_ridge_{'_'.join(map(str, self.layers))}_of_{self.n_fitted}{apart}"
        if len(name) <= LONGEST_NAME:
            return name
        # Not a digest: later runs ask which layers a rule had.
        bits = sum(1 << layer for layer in self.layers)
        return bounded(f"fit_ridge_{first}_to_{last}_x{bits:x}_of_{self.n_fitted}{apart}")

    @staticmethod
    def layers_in(name: str) -> set[int] | None:
        """Return the layers that a rule fits, from its name; `None` if it is no such rule."""
        found = re.fullmatch(
            r"fit_ridge_([0-9_]+?)(?:_to_([0-9]+))?(?:_x([0-9a-f]+))?_of_[0-9]+", name
        )
        if found is None:
            return None
        if found[3]:
            bits = int(found[3], 16)
            return {layer for layer in range(bits.bit_length()) if bits >> layer & 1}
        numbers = list(map(int, found[1].split("_")))
        return set(range(numbers[0], int(found[2]) + 1) if found[2] else numbers)

    @property
    def log(self) -> str:
        """Name of its log, with wildcards."""
        layers = f"{self.layers[0]}-{self.layers[-1]}"
        return f"fit_ridge/{{subject}}/{{model}}/{{instruction}}/{layers}"


@dataclass(frozen=True)
class EncodingRoom(Room):
    """Names and choices; see `Room`."""

    models: ModelRoom

    fit = file("fits/{subject}/{model}/{instruction}/layer-{layer}.nc")  # of one feature space
    scores = file("scores/{subject}/{model}.nc")  # of all feature spaces of a model
    prediction = file("predictions/{subject}/{model}/{instruction}.nc")  # of test images
    winners = file("winners/{subject}/{model}.nc")  # instruction and layer of every voxel
    roi_table = file("tables/rois/{subject}/{model}.tsv")  # by region and instruction
    layer_table = file("tables/layers/{subject}/{model}.tsv")  # the same by layer

    def pairs(self, only_instructed: bool = False) -> Iterator[tuple[str, str]]:
        """Iterate over subjects and models; over those alone that follow instructions."""
        for subject in self.study.subjects:
            for model in self.study.models:
                if model.follows_instructions or not only_instructed:
                    yield subject, model.key

    def of_models(
        self, name: Callable[..., str], models: list[str] | None = None
    ) -> Callable[[Wildcards], list[str]]:
        """Return what gives a job a file of its subject for each of some models, or for all."""
        keys = [model.key for model in self.study.models] if models is None else models
        return lambda wildcards: [name(wildcards.subject, key) for key in keys]

    def fits_of(self, subject: str, model: str) -> list[str]:
        """Return all fits of a subject and model."""
        entry = self.study.model(model)
        return [
            self.fit(subject, model, instruction, layer)
            for instruction in self.study.instructions_of(entry)
            for layer in entry.fitted_layers
        ]

    @cached_property
    def all_fits(self) -> list[str]:
        """Fits of every subject and model."""
        return [path for subject, model in self.pairs() for path in self.fits_of(subject, model)]

    def of_pairs(self, name: Callable[..., str]) -> list[str]:
        """Return a file of every subject and model."""
        return [name(*pair) for pair in self.pairs()]

    @cached_property
    def all_tables(self) -> list[str]:
        """Regional tables of the whole study."""
        return [self.table("alignment"), self.table("layers")]

    def layer_chunks(self, model: Model) -> list[tuple[int, ...]]:
        """Cut a model's fitted layers into the layers of one job each."""
        return chunks(model.fitted_layers, self.study.encoding.layers_per_job)

    def fit_jobs(self) -> list[FitJob]:
        """Return the kinds of fit jobs, each with the models that have it."""
        found: dict[tuple[tuple[int, ...], int, bool], list[str]] = {}
        for model in self.study.models:
            predicts = model.key not in self.split_models
            for chunk in self.layer_chunks(model):
                kind = chunk, len(model.fitted_layers), predicts
                found.setdefault(kind, []).append(model.key)
        return [FitJob(*kind[:2], tuple(keys), kind[2]) for kind, keys in found.items()]

    @cached_property
    def split_models(self) -> list[str]:
        """Models whose predictions at the best layer are made by jobs of their own.

        Their layers are fitted by several jobs, none of which sees all scores; or their
        fits are there, and need not be repeated because a layer was dropped since.
        """
        return [
            model.key
            for model in self.study.models
            if len(self.layer_chunks(model)) > 1 or self._were_predicted_otherwise(model)
        ]

    def _were_predicted_otherwise(self, model: Model) -> bool:
        """Whether predictions are there that jobs of their own made, or fits of more layers."""
        layers = set(model.fitted_layers)
        for output, entry in self._predicted.items():
            if output.split("/")[2] != model.key:
                continue
            fitted = FitJob.layers_in(entry.rule)
            if fitted is None or fitted > layers:
                return True
        return False

    @cached_property
    def _predicted(self) -> dict[str, Entry]:
        """Predictions that are there -> the jobs that made them."""
        return Ledger(self.root, {"predictions"}).entries

    # What jobs get.

    def embeddings_for(self, job: FitJob) -> Callable[[Wildcards], list[str]]:
        """Return what gives a fit job the embeddings of everything its subject saw."""

        def needed(wildcards: Wildcards) -> list[str]:
            key = wildcards.subject, wildcards.model, wildcards.instruction
            outputs = [self.fit(*key, layer) for layer in job.layers]
            outputs += [self.prediction(*key)] if job.predicts else []
            return self.models.discarded.needed(self.models.embeddings_of(*key), outputs)

        return needed

    def selected_embeddings(self, wildcards: Wildcards) -> list[str]:
        """Embeddings of everything the job's subject saw, for predictions at the best layer."""
        key = wildcards.subject, wildcards.model, wildcards.instruction
        outputs = [self.prediction(*key)]
        return self.models.discarded.needed(self.models.embeddings_of(*key), outputs)

    def fits(self, wildcards: Wildcards) -> list[str]:
        """All fits of the job's subject and model."""
        return self.fits_of(wildcards.subject, wildcards.model)

    def instructions(self, wildcards: Wildcards) -> list[str]:
        """Instruction keys of the job's model."""
        return self.study.instructions_of(self.study.model(wildcards.model))

    @property
    def settings(self) -> dict[str, Any]:
        """Everything in the encoding block that decides a fit's scores."""
        decides = set(FitSettings.model_fields)
        if self.study.encoding.preset is not None:
            decides = {"preset", "permutations"}
        return self.study.encoding.model_dump(include=decides)

    @property
    def divisor(self) -> dict[str, Any]:
        """What scores are divided by, whichever layers they are of."""
        return self.study.alignment.model_dump(include=set(Divisor.model_fields))

    @property
    def alignment(self) -> dict[str, Any]:
        """How scores become alignment."""
        return self.study.alignment.model_dump()
