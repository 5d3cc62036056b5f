"""What the files of `rules` have in common: names of logs, tables and figures, and wildcards.

Each file of ``rules`` takes the names of its files, and what its jobs get, from
the module of its name here. All of it is evaluated at every parse: it looks at
the configuration and at names of files only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from brainstruct.config.study import Study


class Wildcards(Protocol):
    """Wildcards of a job, as Snakemake hands them over; a rule has some of them."""

    subject: str
    participant: str
    model: str
    instruction: str
    checkpoint: str
    owner: str


@dataclass(frozen=True)
class Room:
    """Names that every file of rules needs.

    Attributes
    ----------
    study : Study
        The checked configuration.
    """

    study: Study

    @cached_property
    def root(self) -> str:
        """Folder of the results."""
        return self.study.results.rstrip("/")

    def log(self, name: str) -> str:
        """Build the name of a job's log from ``rule/wildcards``."""
        return f"{self.root}/logs/{name}.log"

    def benchmark(self, name: str) -> str:
        """Build the name of a job's benchmark file from ``rule/wildcards``."""
        return f"{self.root}/benchmarks/{name}.tsv"

    def table(self, name: str) -> str:
        """Build the name of a table of the whole study."""
        return f"{self.root}/tables/{name}.tsv"

    def figure(self, name: str, suffix: str = "svg") -> str:
        """Build the name of a figure; its table has the same name."""
        return f"{self.root}/figures/{name}.{suffix}"
