"""A study's sizes and the accounts of its jobs, for the tests of this room."""

from __future__ import annotations

from pathlib import Path

from brainstruct.config.loading import load_study
from brainstruct.planning.amounts import Amounts
from brainstruct.store.ledger import Entry, Ledger, Made


def build(config) -> Amounts:
    return Amounts(load_study(config))


def keep_account(
    root: Path, output: str, seconds: float, megabytes: int, gpus: int | None = None
) -> None:
    """Write down what the job that made an output took, as jobs do."""
    made = {output: Made(1, 1, "", "")}
    Ledger(root).append([Entry("rule", {}, {}, (), made, seconds, megabytes, at=1.0, gpus=gpus)])
