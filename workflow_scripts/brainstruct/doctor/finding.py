"""What a check found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from brainstruct.errors import InputError

Level: TypeAlias = Literal["error", "warning", "note"]
"""``error``: the study will fail. ``warning``: it will run, perhaps not as meant.
``note``: worth knowing."""


@dataclass(frozen=True)
class Finding:
    """A file, folder, package or configuration key that is not as it should be, and its cure."""

    level: Level
    where: str
    fault: str
    cure: str

    @property
    def line(self) -> str:
        """The finding as one line."""
        fault = " ".join(self.fault.split())
        return f"{self.where}: {fault}. {self.cure}."


@dataclass
class Outcome:
    """What was looked at under one heading (``subj01``, ``packages``), and what was found."""

    area: str
    checked: str = ""
    findings: list[Finding] = field(default_factory=list)

    def add(self, level: Level, where: object, fault: str, cure: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(level, str(where), fault.rstrip("."), cure.rstrip(".")))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Turn the refusal of a reader in the block into a finding."""
        try:
            yield
        except InputError as error:
            self.add("error", error.where, error.fault, error.cure)
