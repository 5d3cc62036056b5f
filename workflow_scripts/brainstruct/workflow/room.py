"""What the files of `rules` have in common: names of logs, tables and figures, and wildcards.

Each file of ``rules`` takes the names of its files, and what its jobs get, from
the module of its name here. All of it is evaluated at every parse: it looks at
the configuration and at names of files only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol, TypeVar

from brainstruct.config.study import Study

Item = TypeVar("Item")

LONGEST_NAME = 80
"""Bytes of a joined name; the extension of its file comes to them."""
DIGITS = 12
"""Hexadecimal digits of the digest that ends a name that was too long."""


class Wildcards(Protocol):
    """Wildcards of a job, as Snakemake hands them over; a rule has some of them."""

    subject: str
    participant: str
    model: str
    instruction: str
    checkpoint: str
    image_set: str


def chunks(items: Sequence[Item], size: int | Literal["all"]) -> list[tuple[Item, ...]]:
    """Cut what a model has to be done into the parts of one job each."""
    step = len(items) if size == "all" else size
    return [tuple(items[start : start + step]) for start in range(0, len(items), step)]


def bounded(name: str) -> str:
    """Return a name, or, where it is too long, how it begins and a digest of it.

    Names are joined from lists of any length, and become parts of paths, names of
    rules, and what SLURM is told of a job; all of these have limits.
    """
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGITS]
    return f"{name[: LONGEST_NAME - DIGITS - 1]}_{digest}"


def file(pattern: str) -> Callable[..., str]:
    """Make the method of a room that names a file of the results.

    It takes what the pattern has in braces, in that order or by name; what is not
    given stays there, as Snakemake's wildcard.
    """
    wildcards = {name: f"{{{name}}}" for name in re.findall(r"\{(\w+)\}", pattern)}

    def name(room: Room, *given: object, **named: object) -> str:
        values = wildcards | dict(zip(wildcards, given, strict=False)) | named
        if len(given) > len(wildcards) or len(values) > len(wildcards):
            raise TypeError(f"{pattern} does not take {given}, {named}")
        return f"{room.root}/{pattern.format_map(values)}"

    return name


@dataclass(frozen=True)
class Room:
    """Names that every file of rules needs."""

    study: Study

    @cached_property
    def root(self) -> str:
        """Folder of the results."""
        return self.study.results.rstrip("/")

    log = file("logs/{name}.log")  # of a job, from its rule and wildcards
    benchmark = file("benchmarks/{name}.tsv")  # the same
    table = file("tables/{name}.tsv")  # of the whole study

    def of_subjects(self, name: Callable[..., str]) -> list[str]:
        """Return a file of every subject."""
        return [name(subject) for subject in self.study.subjects]

    def figure(self, name: str, suffix: str = "svg") -> str:
        """Build the name of a figure; its table has the same name."""
        return f"{self.root}/figures/{name}.{suffix}"
