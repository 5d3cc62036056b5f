"""The command of a run, and those that follow it: with the same profile, settings and targets."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

PROGRAM = ".venv/bin/snakemake"

_KEPT = (
    "snakefile",
    "directory",
    "profile",
    "workflow_profile",
    "executor",
    "configfile",
    "config",
)
_AMOUNT = ("cores", "jobs", "local_cores")  # only commands that run jobs have them


@dataclass(frozen=True)
class Command:
    """What was typed, as words."""

    kept: tuple[str, ...] = ()
    amount: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    elsewhere: bool = False  # whether a profile or executor says how much may run, and where
    typed: tuple[str, ...] = ()  # all of it, unless that would do again what is done

    @classmethod
    def read(cls, arguments: Sequence[str]) -> Self:
        """Read the arguments that Snakemake was called with, by its own parser."""
        from snakemake.cli import get_argument_parser  # only now: parsing is to be quick

        # What is unknown is no error of a run that has ended well: it was not typed for Snakemake.
        given, _ = get_argument_parser().parse_known_args(list(arguments))
        return cls(
            kept=_words(given, _KEPT),
            amount=_words(given, _AMOUNT),
            targets=tuple(map(str, given.targets)),
            elsewhere=bool(given.profile or given.executor),
            typed=() if given.force or given.forceall or given.forcerun else tuple(arguments),
        )

    def running(self, *targets: str, cores: str = "all") -> str:
        """Return a command that runs jobs for other targets; none: for the whole study."""
        amount = self.amount or (() if self.elsewhere else ("--cores", cores))
        return self._joined(targets, amount)

    def again(self) -> str:
        """Return a command that goes on with the same."""
        if self.typed:
            return shlex.join([PROGRAM, *self.typed])
        return self._joined(self.targets, self.amount)

    def reporting(self, path: str) -> str:
        """Return a command that makes a report of the same targets."""
        return self._joined(self.targets, ("--report", path))

    def _joined(self, targets: Sequence[str], last: Sequence[str]) -> str:
        # Targets first: options that take any number of words would take them.
        return shlex.join([PROGRAM, *targets, *self.kept, *last])


def _words(given: Any, names: Sequence[str]) -> tuple[str, ...]:
    """Return options as words, those that were typed."""
    words: list[str] = []
    for name in names:
        value = getattr(given, name)
        if value is None or value == []:
            continue
        values = value if isinstance(value, list) else [value]
        words += [f"--{name.replace('_', '-')}", *map(_word, values)]
    return tuple(words)


def _word(value: Any) -> str:
    """Return a value as a word; a path in this folder, from here."""
    if not isinstance(value, Path):
        return str(value)
    resolved, here = value.resolve(), Path.cwd()
    return str(resolved.relative_to(here)) if resolved.is_relative_to(here) else str(value)
