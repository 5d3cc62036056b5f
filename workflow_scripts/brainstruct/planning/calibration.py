"""Measured against estimated: what finished jobs say about those that are to come."""

from __future__ import annotations

import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from brainstruct.planning.costs import Cost
from brainstruct.planning.disk import stored_bytes
from brainstruct.planning.jobs import Job, JobKey

_Kind: TypeAlias = tuple[str, str]
"""Rule and model, or rule and ""."""


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

    seconds: Mapping[_Kind, float]
    bytes: Mapping[_Kind, float]
    memory: Mapping[_Kind, float]
    jobs: Mapping[str, int]

    def cost(self, job: Job, estimate: Cost) -> Cost:
        """Correct an estimate: by jobs of its rule and model, else of its rule."""
        seconds = estimate.seconds * _best(self.seconds, job)
        return Cost(seconds, estimate.memory_mb * _best(self.memory, job))

    def size(self, job: Job, estimate: float) -> float:
        """Correct the estimated size of a job's outputs in the same way."""
        return estimate * _best(self.bytes, job)


def read_benchmark(path: str | os.PathLike[str]) -> Cost | None:
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
    return Cost(seconds, max(_number(row.get("max_rss")) for row in rows))


def _number(text: str | None) -> float:
    try:
        return float(text or "0")
    except ValueError:
        return 0.0


def calibrate(
    jobs: Iterable[Job], estimates: Mapping[JobKey, Cost], sizes: Mapping[JobKey, float]
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
    seconds: defaultdict[_Kind, list[tuple[float, float]]] = defaultdict(list)
    volume: defaultdict[_Kind, list[tuple[float, float]]] = defaultdict(list)
    memory: dict[_Kind, float] = {}
    counts: Counter[str] = Counter()
    for job in jobs:
        estimate, kinds = estimates[job.key], set(_kinds(job))
        if job.benchmark and (measured := read_benchmark(job.benchmark)):
            counts[job.rule] += 1
            for kind in kinds:
                seconds[kind].append((measured.seconds, estimate.seconds))
                if measured.memory_mb > 0:
                    ratio = measured.memory_mb / estimate.memory_mb
                    memory[kind] = max(memory.get(kind, 0.0), ratio)
        if (stored := stored_bytes(job)) is not None:
            for kind in kinds:
                volume[kind].append((stored, sizes[job.key]))
    return Calibration(_ratios(seconds), _ratios(volume), memory, counts)


def _kinds(job: Job) -> tuple[_Kind, _Kind]:
    """Return what a job is compared by: the narrower kind first."""
    return (job.rule, job.wildcards.get("model", "")), (job.rule, "")


def _ratios(pairs: Mapping[_Kind, list[tuple[float, float]]]) -> dict[_Kind, float]:
    return {
        kind: sum(found for found, _ in values) / max(sum(old for _, old in values), 1e-9)
        for kind, values in pairs.items()
    }


def _best(ratios: Mapping[_Kind, float], job: Job) -> float:
    return next((ratios[kind] for kind in _kinds(job) if kind in ratios), 1.0)
