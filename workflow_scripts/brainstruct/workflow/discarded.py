"""Embeddings that were deleted on purpose: who can do without, and who needs them again.

A block that was discarded is remembered in the ledger. A job whose outputs are what the ledger
says, made with the settings of now, does not ask for it; any other does, and Snakemake embeds
again. Whether a job would run is Snakemake's to say, but only after its inputs are named; so here
the same is asked beforehand, of the few jobs that read embeddings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainstruct.store.fingerprint import time_of
from brainstruct.store.ledger import ELSEWHERE, Entry, stage_of

if TYPE_CHECKING:  # it needs Snakemake, which not everybody has who names files
    from brainstruct.workflow.records import Records

FORCING = {"-f", "--force", "-F", "--forceall", "-R", "--forcerun"}


class Discarded:
    """Judges which jobs can do without embeddings that are not there."""

    def __init__(self) -> None:
        self._records: Records | None = None
        self._workflow: Any = None
        self._judged: dict[str, bool] = {}

    def open(self, workflow: Any, records: Records, arguments: Sequence[str]) -> None:
        """Begin to judge; before, and in jobs, everybody needs everything."""
        if FORCING.isdisjoint(arguments):
            self._workflow, self._records = workflow, records

    def without(self, paths: Iterable[str]) -> list[str]:
        """Return files without those discarded."""
        records = self._records
        if records is None:
            return list(paths)
        return [path for path in paths if not records.is_discarded(records.places.name(path))]

    def needed(self, paths: list[str], outputs: Iterable[str]) -> list[str]:
        """Return what a job that makes `outputs` of embeddings needs of these: all, or the rest."""
        left = self.without(paths)
        if self._records is None or len(left) == len(paths):
            return paths
        names = set(map(self._records.places.name, paths))
        done = all(self._is_done(output, names) for output in outputs)
        return left if done else paths

    def _is_done(self, output: str, embeddings: set[str]) -> bool:
        """Whether a job's output is there, valid, and made of these embeddings."""
        assert self._records is not None
        name = self._records.places.name(output)
        entry = self._records.ledger.entries.get(name)
        if entry is None or not Path(output).exists():
            return False
        return embeddings.issubset(entry.inputs) and self._holds(name)

    def _holds(self, name: str) -> bool:
        """Whether an output is what the settings of now would make, its inputs included."""
        if name not in self._judged:
            self._judged[name] = self._judge(name)
        return self._judged[name]

    def _judge(self, name: str) -> bool:
        assert self._records is not None
        records = self._records
        entry = records.ledger.entries.get(name)
        if entry is None:  # of the user: what it holds is a parameter of who reads it
            return True
        path = Path(records.places.path(name))
        if path.exists():
            if time_of(path) != entry.made[name].time:
                return False
        elif name not in records.ledger.discarded and stage_of(name) != ELSEWHERE:
            return False
        return self._settings(entry) == records.lasting(entry) and all(
            self._holds(source) and not self._is_newer(source, path) for source in entry.inputs
        )

    def _is_newer(self, source: str, path: Path) -> bool:
        """Whether an input of the workflow's own is newer than what was made of it."""
        assert self._records is not None
        found = Path(self._records.places.path(source))
        if source not in self._records.ledger.entries or not (found.exists() and path.exists()):
            return False
        return time_of(found) > time_of(path)

    def _settings(self, entry: Entry) -> dict[str, str] | None:
        """Return the parameters that a job would get now; `None` if there is no such rule."""
        from snakemake.iocontainers import InputFiles, OutputFiles

        assert self._records is not None
        if not self._workflow.is_rule(entry.rule):
            return None
        rule = self._workflow.get_rule(entry.rule)
        found, _ = rule.expand_params(dict(entry.wildcards), InputFiles(), OutputFiles(), None)
        names_in = self._records.places.names_in
        now = {name: names_in(repr(value)) for name, value in found.items()}
        return self._records.lasting(replace(entry, params=now))
