"""A study's sizes and benchmark files, for the tests of this room."""

from __future__ import annotations

from pathlib import Path

from brainstruct.config.loading import load_study
from brainstruct.planning.amounts import Amounts


def build(config) -> Amounts:
    return Amounts(load_study(config))


def write_benchmark(path: Path, seconds: float, megabytes: float | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:01\t{megabytes}\t1.0\n")
