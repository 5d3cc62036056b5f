"""Copies of files on this machine's own disk, for as long as a job reads them."""

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from brainstruct.store.faults import reading
from brainstruct.store.files import rebuild

log = logging.getLogger(__name__)


def stage(paths: Sequence[Path]) -> dict[Path, IO[bytes]]:
    """Copy files, one after another, into the folder for temporary files (``TMPDIR``).

    Copies have no names: however the process ends, nothing of them stays. Their room is reserved
    before anything is read. Where there is none, or that disk fails, a warning says so, and no file
    has a copy. An `InputError` if a file itself cannot be read.
    """
    copies: dict[Path, IO[bytes]] = {}
    with ExitStack() as opened:
        try:
            for path in paths:
                with reading(path, "file", rebuild(path)):
                    size = path.stat().st_size
                copies[path] = opened.enter_context(tempfile.TemporaryFile())
                os.posix_fallocate(copies[path].fileno(), 0, size)
            for path, copy in copies.items():
                copy.writelines(_pieces(path))
                copy.flush()
        except OSError as error:
            log.warning("inputs are read in place, not from %s: %s", tempfile.gettempdir(), error)
            return {}
        opened.pop_all()
    log.info("%d files were copied to %s", len(copies), tempfile.gettempdir())
    return copies


def _pieces(path: Path) -> Iterator[bytes]:
    """Read a file in pieces of 16 MB; what goes wrong here is its own, not the copy's."""
    with reading(path, "file", rebuild(path)), path.open("rb") as file:
        yield from iter(lambda: file.read(1 << 24), b"")
