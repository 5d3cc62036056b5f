"""Measured against estimated: what finished jobs say about those that are to come."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from brainstruct.planning.costs import Cost
from brainstruct.planning.jobs import Job
from brainstruct.store.ledger import Ledger

_Kind: TypeAlias = tuple[str, str]
"""Kind of job and model, or kind and ""."""


@dataclass(frozen=True)
class Estimate:
    """What a job will take, and what it has taken if it is done."""

    job: Job
    cost: Cost
    size: float  # bytes of all its outputs
    measured: Cost | None = None  # by its account in the ledger
    stored: float | None = None  # bytes of its outputs, if all are on disk


def measured_cost(job: Job, ledger: Ledger, root: str, startup_s: float) -> Cost | None:
    """Return what a job took by its own account; `None` if it gave none, or of other hardware.

    It counts from its first line on, so that `startup_s` come to it. Its memory is the most
    that the system saw it hold, which Snakemake's benchmarks, being samples, miss.
    """
    names = (name.removeprefix(f"{root}/") for name in job.outputs)
    entry = next((ledger.entries[name] for name in names if name in ledger.entries), None)
    if entry is None or not entry.peak_mb:  # or it was found done, with no account
        return None
    if entry.gpus is not None and entry.gpus != job.gpus:
        return None
    return Cost(entry.seconds + startup_s, entry.peak_mb * 1.048576)  # it counts in 2^20 bytes


def calibrate(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Correct estimates by the jobs of the same kind and model that are done, else of the kind.

    Times and sizes are multiplied by the ratio of sums; memory by the largest ratio of any job.
    """
    seconds: defaultdict[_Kind, list[tuple[float, float]]] = defaultdict(list)
    sizes: defaultdict[_Kind, list[tuple[float, float]]] = defaultdict(list)
    memory: dict[_Kind, float] = {}
    for one in estimates:
        for kind in set(_kinds(one.job)):
            if one.measured is not None:
                seconds[kind].append((one.measured.seconds, one.cost.seconds))
                ratio = one.measured.memory_mb / one.cost.memory_mb
                memory[kind] = max(memory.get(kind, 0.0), ratio)
            if one.stored is not None:
                sizes[kind].append((one.stored, one.size))
    slower, larger = _ratios(seconds), _ratios(sizes)
    return [
        replace(
            one,
            cost=Cost(
                one.cost.seconds * _best(slower, one.job),
                one.cost.memory_mb * _best(memory, one.job),
            ),
            size=one.size * _best(larger, one.job),
        )
        for one in estimates
    ]


def _kinds(job: Job) -> tuple[_Kind, _Kind]:
    """Return what a job is compared by: the narrower kind first."""
    return (job.kind, job.wildcards.get("model", "")), (job.kind, "")


def _ratios(pairs: Mapping[_Kind, list[tuple[float, float]]]) -> dict[_Kind, float]:
    return {
        kind: sum(found for found, _ in values) / max(sum(old for _, old in values), 1e-9)
        for kind, values in pairs.items()
    }


def _best(ratios: Mapping[_Kind, float], job: Job) -> float:
    return next((ratios[kind] for kind in _kinds(job) if kind in ratios), 1.0)
