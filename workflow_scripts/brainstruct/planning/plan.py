"""From the jobs of a study to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from brainstruct.config.study import Study
from brainstruct.planning.amounts import Amounts
from brainstruct.planning.assumptions import Assumptions
from brainstruct.planning.calibration import Calibration, calibrate, stored_bytes
from brainstruct.planning.costs import COMPUTED, Cost, job_cost
from brainstruct.planning.disk import folder_of, input_folders, on_disk, volumes
from brainstruct.planning.jobs import Job, JobKey
from brainstruct.planning.report import Folder, Plan, Stage, Volume
from brainstruct.workflow.inputs import Inputs
from brainstruct.workflow.rooms import Rooms

HOUR = 3600.0
GB = 1e9


def make_plan(
    study: Study,
    jobs: Sequence[Job],
    to_do: Iterable[Job],
    assumptions: Assumptions | None = None,
) -> Plan:
    """Estimate what a study takes.

    Parameters
    ----------
    study : Study
        The checked configuration.
    jobs : sequence of Job
        All its jobs.
    to_do : iterable of Job
        Those that are to be run.
    assumptions : Assumptions, optional
        What is taken for granted.

    Returns
    -------
    Plan
        Corrected by the records of jobs that are done.
    """
    assumed = assumptions or Assumptions()
    amounts = Amounts(study, Inputs(study, tolerant=True), assumed)
    files = {job.key: amounts.file_sizes(job) for job in jobs}
    sizes = {key: sum(each.values()) for key, each in files.items()}
    by_file = {name: size for each in files.values() for name, size in each.items()}

    def size_of(name: str) -> float:
        return by_file[name] if name in by_file else on_disk(Path(name))

    costs = {job.key: job_cost(job, amounts, size_of) for job in jobs}
    calibration = calibrate(jobs, costs, sizes)
    costs = {job.key: calibration.cost(job, costs[job.key]) for job in jobs}
    remaining = {job.key for job in to_do}
    stages = _stages(jobs, remaining, costs, calibration)
    folders = _folders(study, jobs, files, calibration) + input_folders(amounts)
    found = volumes(folders)
    return Plan(
        study=study.study,
        stages=stages,
        folders=folders,
        volumes=found,
        warnings=_warnings(stages, found),
        assumptions=assumed,
    )


def _stages(
    jobs: Sequence[Job],
    remaining: set[JobKey],
    costs: dict[JobKey, Cost],
    calibration: Calibration,
) -> list[Stage]:
    found = []
    for rule in dict.fromkeys(job.rule for job in jobs):
        own = [job for job in jobs if job.rule == rule]
        left = [job for job in own if job.key in remaining]

        def gpu_hours(some: list[Job]) -> float:
            return sum(costs[job.key].seconds * job.gpus for job in some) / HOUR

        def core_hours(some: list[Job]) -> float:
            return sum(costs[job.key].seconds * job.threads for job in some) / HOUR

        found.append(
            Stage(
                rule=rule,
                jobs=len(own),
                to_do=len(left),
                measured=calibration.jobs.get(rule, 0),
                arithmetic=rule in COMPUTED,
                gpu_hours=gpu_hours(own),
                core_hours=core_hours(own),
                gpu_hours_to_do=gpu_hours(left),
                core_hours_to_do=core_hours(left),
                peak_memory_mb=max(costs[job.key].memory_mb for job in own),
                asked_memory_mb=max(job.memory_mb for job in own),
            )
        )
    return found


def _folders(
    study: Study,
    jobs: Sequence[Job],
    files: dict[JobKey, dict[str, float]],
    calibration: Calibration,
) -> list[Folder]:
    root = Rooms.of(study).data.root
    rows = []
    for job in jobs:
        sizes = files[job.key]
        stored = stored_bytes(job)
        together = sum(sizes.values())
        whole = calibration.size(job, together) if stored is None else stored
        for folder, names in groupby(sorted(job.outputs), key=lambda name: folder_of(name, root)):
            own = [sizes[name] for name in names]
            share = sum(own) / together
            rows.append((folder, len(own), whole * share, (stored or 0.0) * share))
    return [
        Folder(
            folder=folder,
            files=sum(row[1] for row in rows if row[0] == folder),
            whole_bytes=round(sum(row[2] for row in rows if row[0] == folder)),
            stored_bytes=round(sum(row[3] for row in rows if row[0] == folder)),
        )
        for folder in dict.fromkeys(row[0] for row in rows)
    ]


def _warnings(stages: Iterable[Stage], found: Iterable[Volume]) -> list[str]:
    lines = [
        f"DOES NOT FIT: {volume.needed_bytes / GB:,.1f} GB will be written under "
        f"{volume.folder}, where {volume.free_bytes / GB:,.1f} GB are free"
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
