"""Processes of jobs of the test cluster, which all are on this machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from cluster import wait_for


def embedding_jobs(root: Path) -> list[int]:
    """Processes that embed, of jobs of a checkout."""
    script = str(root / ".snakemake/scripts").encode()
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if (last := last_word(path)).startswith(script) and last.endswith(b".embed.py")
    ]


def last_word(path: Path) -> bytes:
    """Return the last word of a command; a shell's last word is its whole script."""
    try:
        return path.read_bytes().removesuffix(b"\0").rpartition(b"\0")[2]
    except OSError:  # it has ended meanwhile
        return b""


def hold(root: Path) -> int:
    """Stop the process that embeds, once it is there: tests must not race with it."""
    wait_for(lambda: embedding_jobs(root), 120, "a process that embeds")
    (process,) = embedding_jobs(root)
    os.kill(process, signal.SIGSTOP)
    return process


def n_shards(root: Path) -> int:
    return len(list((root / "results/work/embed").rglob("*.nc")))
