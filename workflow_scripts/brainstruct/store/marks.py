"""What a job leaves behind while it runs: how it ended, and by its absence that it was killed.

Of a failed job a run knows no more than that it failed. Whether more memory or more time
would help, or nothing would, the job itself knows; one that is killed has no time to say.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from brainstruct.store.files import write_text
from brainstruct.store.ledger import FOLDER

MARKS = "marks"
"""Folder of marks, beside the ledger of a results folder."""

Ending: TypeAlias = Literal["memory", "input", "signal", "error", ""]
"""``memory``: none was to be had. ``input``: the same would happen again. ``signal``: it was told
to end, as SLURM does when time is up. Empty: it runs, or was killed."""


@dataclass(frozen=True)
class Mark:
    """A job that began; times are in seconds since the epoch."""

    started: float
    ended: float = 0.0
    ending: Ending = ""
    peak_mb: int = 0


def mark_file(root: str | os.PathLike[str], outputs: Iterable[object]) -> Path:
    """Return where the job that makes these outputs leaves its mark."""
    name = hashlib.sha256(min(map(str, outputs)).encode()).hexdigest()[:16]
    return Path(root) / FOLDER / MARKS / f"{name}.json"


def write_mark(mark: Mark, path: Path) -> None:
    """Publish a mark, in place of an earlier one."""
    write_text(json.dumps(asdict(mark)), path)


def take_mark(path: Path) -> Mark | None:
    """Read a mark and remove it: it speaks of one attempt. `None` if the job never began."""
    try:
        found = Mark(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # it only says whether to ask for more
        found = None
    path.unlink(missing_ok=True)
    return found
