"""From the jobs of a study to a plan."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.calibration import Estimate, calibrate, measured_cost
from brainstruct.planning.costs import COMPUTED, job_cost, startup_seconds
from brainstruct.planning.disk import (
    Part,
    folder_of,
    inputs,
    on_disk,
    stored_bytes,
    sum_up,
    volumes,
)
from brainstruct.planning.jobs import Job
from brainstruct.planning.prices import Prices
from brainstruct.planning.report import Plan, Stage, Volume
from brainstruct.store.ledger import Ledger
from brainstruct.workflow.rooms import Rooms


def make_plan(study: Study, jobs: Sequence[Job], to_do: Iterable[Job]) -> Plan:
    """Estimate what a study takes, corrected by the records of jobs that are done."""
    amounts, root = Amounts(study), Rooms.of(study).data.root
    ledger = Ledger(root)
    files = {name: size for job in jobs for name, size in amounts.file_sizes(job).items()}

    def size_of(name: str) -> float:
        return files[name] if name in files else on_disk(Path(name))

    estimates = calibrate(
        [
            Estimate(
                job,
                job_cost(job, amounts, size_of),
                sum(files[name] for name in job.outputs),
                measured_cost(job, ledger, root, startup_seconds(job, amounts.assumed)),
                stored_bytes(job),
            )
            for job in jobs
        ]
    )
    left = {job.outputs for job in to_do}
    starting = [job for job in jobs if job.outputs in left]
    startup = sum(job.threads * startup_seconds(job, amounts.assumed) for job in starting)
    stages = _stages(estimates, left)
    to_embed = {
        job.wildcards["model"] for job in jobs if job.kind == "embed" and job.outputs in left
    }
    written = _written(root, estimates, files, left)
    folders = sum_up([*written, *inputs(amounts, to_embed)])
    found = volumes(folders)
    prices = Prices(estimates, amounts)
    return Plan(
        study=study.study,
        stages=stages,
        folders=folders,
        record_files=sum(len(job.outputs) + 2 for job in jobs),
        volumes=found,
        warnings=_warnings(stages, found),
        one_more=prices.one_more(),
        cheaper=prices.cheaper(),
        by_card=prices.by_card(),
        startup_core_hours_to_do=startup / 3600,
        assumptions=amounts.assumed,
    )


def _stages(estimates: Sequence[Estimate], to_do: Collection[tuple[str, ...]]) -> list[Stage]:
    """Sum up rule by rule; `to_do` holds the outputs of each job that is to be run."""

    def hours(some: Iterable[Estimate], units: str) -> float:
        return float(sum(one.cost.seconds * getattr(one.job, units) for one in some)) / 3600.0

    found = []
    for rule in dict.fromkeys(one.job.rule for one in estimates):
        own = [one for one in estimates if one.job.rule == rule]
        left = [one for one in own if one.job.outputs in to_do]
        found.append(
            Stage(
                rule=rule,
                jobs=len(own),
                to_do=len(left),
                measured=sum(one.measured is not None for one in own),
                arithmetic=own[0].job.kind in COMPUTED,
                gpu_hours=hours(own, "gpus"),
                core_hours=hours(own, "threads"),
                gpu_hours_to_do=hours(left, "gpus"),
                core_hours_to_do=hours(left, "threads"),
                peak_memory_mb=max(one.cost.memory_mb for one in own),
                asked_memory_mb=max(one.job.memory_mb for one in own),
            )
        )
    return found


def _written(
    root: str,
    estimates: Iterable[Estimate],
    files: Mapping[str, float],
    to_do: Collection[tuple[str, ...]],
) -> Iterator[Part]:
    """Yield what the jobs write: as it is on disk or, where that is to come, as estimated."""
    for one in estimates:
        together = sum(files[name] for name in one.job.outputs)
        # What is neither there nor to do was deleted on purpose.
        coming = one.size if one.job.outputs in to_do else 0.0
        whole = coming if one.stored is None else one.stored
        names = sorted(one.job.outputs)
        for folder, inside in groupby(names, key=lambda name: folder_of(name, root)):
            own = [files[name] for name in inside]
            share = sum(own) / together
            yield folder, len(own), whole * share, (one.stored or 0.0) * share


def _warnings(stages: Iterable[Stage], found: Iterable[Volume]) -> list[str]:
    lines = [
        f"DOES NOT FIT: {volume.needed_bytes / 1e9:,.1f} GB will be written under "
        f"{volume.folder}, where {volume.free_bytes / 1e9:,.1f} GB are free"
        for volume in found
        if not volume.fits
    ]
    lines += [
        f"{stage.rule}: jobs will hold about {stage.peak_memory_mb:,.0f} MB and ask for "
        f"{stage.asked_memory_mb:,.0f} MB at first: raise it in your profile "
        f"(set-resources: {stage.rule}: mem_mb=...)"
        for stage in stages
        if 0 < stage.asked_memory_mb < stage.peak_memory_mb
    ]
    return lines
