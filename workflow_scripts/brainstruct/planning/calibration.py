"""Measured against estimated: what finished jobs say about those that are to come."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from brainstruct.planning.costs import Cost
from brainstruct.planning.jobs import Job, JobKey


@dataclass(frozen=True)
class Measured:
    """What a finished job took: seconds and, in MB, its most memory."""

    seconds: float
    memory_mb: float


@dataclass(frozen=True)
class Calibration:
    """Ratios of what was measured to what was estimated.

    Attributes
    ----------
    seconds, bytes, memory : mapping
        (rule, model) or (rule, "") -> ratio. That of memory is the largest of
        any job.
    jobs : mapping
        Rule -> number of jobs measured.
    """

    seconds: Mapping[tuple[str, str], float]
    bytes: Mapping[tuple[str, str], float]
    memory: Mapping[tuple[str, str], float]
    jobs: Mapping[str, int]

    def cost(self, job: Job, estimate: Cost) -> Cost:
        """Correct an estimate: by jobs of its rule and model, else of its rule."""
        seconds = estimate.seconds * _best(self.seconds, job, 1.0)
        return Cost(seconds, estimate.memory_mb * _best(self.memory, job, 1.0))

    def size(self, job: Job, estimate: float) -> float:
        """Correct the estimated size of a job's outputs in the same way."""
        return estimate * _best(self.bytes, job, 1.0)


def read_benchmark(path: str | os.PathLike[str]) -> Measured | None:
    """Read what Snakemake recorded of a job; `None` if there is nothing.

    Repetitions are averaged; a job too short to be sampled has no memory (0).
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    if not rows:
        return None
    seconds = sum(float(row["s"]) for row in rows) / len(rows)
    return Measured(seconds, max(_number(row.get("max_rss")) for row in rows))


def _number(text: str | None) -> float:
    try:
        return float(text or "0")
    except ValueError:
        return 0.0


def calibrate(
    jobs: Iterable[Job],
    estimates: Mapping[JobKey, Cost],
    sizes: Mapping[JobKey, float],
) -> Calibration:
    """Compare finished jobs with their estimates.

    Parameters
    ----------
    jobs : iterable of Job
        Jobs of the study; those with a benchmark file, or with all outputs on
        disk, are compared.
    estimates, sizes : mapping
        What was estimated, by key of the job.
    """
    seconds: dict[tuple[str, str], list[tuple[float, float]]] = {}
    volume: dict[tuple[str, str], list[tuple[float, float]]] = {}
    memory: dict[tuple[str, str], float] = {}
    counts: dict[str, int] = {}
    for job in jobs:
        keys = {(job.rule, job.wildcards.get("model", "")), (job.rule, "")}
        measured = read_benchmark(job.benchmark) if job.benchmark else None
        if measured is not None:
            counts[job.rule] = counts.get(job.rule, 0) + 1
            for key in keys:
                seconds.setdefault(key, []).append((measured.seconds, estimates[job.key].seconds))
                if measured.memory_mb > 0:
                    ratio = measured.memory_mb / estimates[job.key].memory_mb
                    memory[key] = max(memory.get(key, 0.0), ratio)
        found = stored_bytes(job)
        if found is not None:
            for key in keys:
                volume.setdefault(key, []).append((found, sizes[job.key]))
    return Calibration(_ratios(seconds), _ratios(volume), memory, counts)


def stored_bytes(job: Job) -> float | None:
    """Return the size of a job's outputs; `None` if one is not on disk.

    The pycortex store is a folder, of which its rule declares one file.
    """
    paths = [Path(name) for name in job.outputs]
    if not all(path.exists() for path in paths):
        return None
    if job.rule == "prepare_pycortex":
        paths = [path.parent for path in paths]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return float(sum(file.stat().st_size for file in files if file.is_file()))


def _ratios(
    pairs: Mapping[tuple[str, str], list[tuple[float, float]]],
) -> dict[tuple[str, str], float]:
    return {
        key: sum(found for found, _ in values) / max(sum(old for _, old in values), 1e-9)
        for key, values in pairs.items()
    }


def _best(table: Mapping[tuple[str, str], float], job: Job, default: float) -> float:
    exact = table.get((job.rule, job.wildcards.get("model", "")))
    return exact if exact is not None else table.get((job.rule, ""), default)
