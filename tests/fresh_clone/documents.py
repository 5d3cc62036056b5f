"""Code blocks of the documents, and what is to be done with each of their commands.

Whatever stands in a block is run, unless `commands.toml` says why not: a document
that is new needs no entry.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]

FIRST = ("README.md", "config/README.md")
"""Documents that are read before the others, in this order."""

RUN = {"sh": "bash", "bash": "bash", "python": "Python"}
TRIED = {"yaml"}
SHOWN = {"mermaid", "text", "json", "bibtex"}
"""Languages of blocks that are run, dry-run as configurations, and only looked at."""

_FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes
    ----------
    document : str
        In which it stands.
    line : int
        Where its text starts, from 1.
    language : str
        As fenced.
    text : str
        Without the fence's indentation.
    """

    document: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


def documents(root: Path = REPOSITORY) -> list[Path]:
    """Return all documents with blocks, in reading order."""
    found = [*root.glob("*.md"), *root.glob("config/*.md"), *root.glob("docs/*.md")]
    names = {path.relative_to(root).as_posix(): path for path in sorted(found)}
    first = [names.pop(name) for name in FIRST]
    return [*first, *names.values()]


def blocks(path: Path, root: Path = REPOSITORY) -> Iterator[Block]:
    """Iterate over the blocks of a document."""
    text, name = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
    for found in _FENCE.finditer(text):
        body = "".join(line.removeprefix(found[1]) for line in found[3].splitlines(keepends=True))
        yield Block(name, text.count("\n", 0, found.start(3)) + 1, found[2], body)


def all_blocks(root: Path = REPOSITORY) -> list[Block]:
    """Return the blocks of all documents."""
    return [block for path in documents(root) for block in blocks(path, root)]


@dataclass(frozen=True)
class Rules:
    """What `commands.toml` says.

    Attributes
    ----------
    skip : mapping
        Start of a command -> why it is not run here.
    slow : mapping
        Start of a command -> why ``--quick`` leaves it out.
    serve : mapping
        Start of a command that runs until it is stopped -> address at which it answers.
    shown : mapping
        Document and first line of a block that is no command or configuration -> why.
    substitute : mapping
        Placeholder -> what a user would put there.
    """

    skip: dict[str, str]
    slow: dict[str, str]
    serve: dict[str, str]
    shown: dict[str, str]
    substitute: dict[str, str]

    @classmethod
    def read(cls) -> Rules:
        table: dict[str, Any] = tomllib.loads(
            (Path(__file__).parent / "commands.toml").read_text(encoding="utf-8")
        )
        return cls(**table)

    @staticmethod
    def matches(line: str, start: str) -> bool:
        """Whether a command starts with these words."""
        return f"{line.strip()} ".startswith(f"{start} ")

    def reason(self, line: str, *, quick: bool = False) -> str | None:
        """Say why a line is not run; `None` if it is."""
        for known in (self.skip, self.slow) if quick else (self.skip,):
            for start, reason in known.items():
                if self.matches(line, start):
                    return reason
        return None

    def served(self, line: str) -> str | None:
        """Return the address at which a command answers that does not end by itself."""
        found = (url for start, url in self.serve.items() if self.matches(line, start))
        return next(found, None)

    def filled(self, text: str) -> str:
        """Put in what a user would."""
        for placeholder, value in self.substitute.items():
            text = text.replace(placeholder, value)
        return text

    def key(self, block: Block) -> str:
        """Name a block in `shown`."""
        return f"{block.document}: {block.text.splitlines()[0].strip()}"


def lines_of(text: str) -> list[str]:
    """Split a shell script into its commands, those over several lines joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if line.strip()]
