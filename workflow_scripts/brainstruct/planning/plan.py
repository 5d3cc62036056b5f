"""From the jobs of a study to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.calibration import Calibration, calibrate
from brainstruct.planning.costs import COMPUTED, Cost, job_cost
from brainstruct.planning.disk import (
    Part,
    folder_of,
    input_folders,
    on_disk,
    stored_bytes,
    sum_up,
    volumes,
)
from brainstruct.planning.jobs import Job, JobKey
from brainstruct.planning.report import Folder, Plan, Stage, Volume
from brainstruct.workflow.targets import Targets


def make_plan(study: Study, jobs: Sequence[Job], to_do: Iterable[Job]) -> Plan:
    """Estimate what a study takes, corrected by the records of jobs that are done.

    Parameters
    ----------
    study : Study
        The checked configuration.
    jobs : sequence of Job
        All its jobs.
    to_do : iterable of Job
        Those that are to be run.
    """
    amounts = Amounts(study)
    files = {job.key: amounts.file_sizes(job) for job in jobs}
    sizes = {key: sum(each.values()) for key, each in files.items()}
    by_file = {name: size for each in files.values() for name, size in each.items()}

    def size_of(name: str) -> float:
        return by_file[name] if name in by_file else on_disk(Path(name))

    costs = {job.key: job_cost(job, amounts, size_of) for job in jobs}
    calibration = calibrate(jobs, costs, sizes)
    costs = {job.key: calibration.cost(job, costs[job.key]) for job in jobs}
    stages = _stages(jobs, {job.key for job in to_do}, costs, calibration)
    folders = _folders(Targets(study).root, jobs, files, calibration) + input_folders(amounts)
    found = volumes(folders)
    return Plan(
        study=study.study,
        stages=stages,
        folders=folders,
        volumes=found,
        warnings=_warnings(stages, found),
        assumptions=amounts.assumed,
    )


def _stages(
    jobs: Sequence[Job],
    remaining: set[JobKey],
    costs: Mapping[JobKey, Cost],
    calibration: Calibration,
) -> list[Stage]:
    def hours(some: Iterable[Job], units: str) -> float:
        return float(sum(costs[job.key].seconds * getattr(job, units) for job in some)) / 3600.0

    found = []
    for rule in dict.fromkeys(job.rule for job in jobs):
        own = [job for job in jobs if job.rule == rule]
        left = [job for job in own if job.key in remaining]
        found.append(
            Stage(
                rule=rule,
                jobs=len(own),
                to_do=len(left),
                measured=calibration.jobs.get(rule, 0),
                arithmetic=rule in COMPUTED,
                gpu_hours=hours(own, "gpus"),
                core_hours=hours(own, "threads"),
                gpu_hours_to_do=hours(left, "gpus"),
                core_hours_to_do=hours(left, "threads"),
                peak_memory_mb=max(costs[job.key].memory_mb for job in own),
                asked_memory_mb=max(job.memory_mb for job in own),
            )
        )
    return found


def _folders(
    root: str,
    jobs: Sequence[Job],
    files: Mapping[JobKey, Mapping[str, float]],
    calibration: Calibration,
) -> list[Folder]:
    """Return what the jobs write: as it is on disk or, where that is not all, as estimated."""
    parts: dict[str, list[Part]] = {}
    for job in jobs:
        sizes = files[job.key]
        stored = stored_bytes(job)
        together = sum(sizes.values())
        whole = calibration.size(job, together) if stored is None else stored
        for folder, names in groupby(sorted(job.outputs), key=lambda name: folder_of(name, root)):
            own = [sizes[name] for name in names]
            share = sum(own) / together
            part = len(own), whole * share, (stored or 0.0) * share
            parts.setdefault(folder, []).append(part)
    return [sum_up(folder, own) for folder, own in parts.items()]


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
