"""Many files at a time from servers to their places; what one meets does not stop the others."""

import logging
import shutil
import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from brainstruct.errors import InputError
from brainstruct.fetch.remote import Remote
from brainstruct.fetch.transfer import bytes_begun, fetch_file
from brainstruct.store.files import existing

log = logging.getLogger(__name__)

_SECONDS_PER_LINE = 10.0


@dataclass
class Came:
    """What a download has brought, and what not."""

    summary: str = ""
    unchecked: list[Path] = field(default_factory=list)  # had no checksum; no archive is
    faults: dict[Path, str] = field(default_factory=dict)  # what did not come, and why


class Progress:
    """Counts files and bytes, from any thread; an earlier start has left `begun` of the bytes."""

    def __init__(self, n_files: int, n_bytes: int, begun: int = 0) -> None:
        self.n_files, self.n_bytes, self.begun = n_files, n_bytes, begun
        self.files = self.bytes = 0
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def count(self, *, files: int = 0, n_bytes: int = 0) -> None:
        """Count complete files, and bytes."""
        with self._lock:
            self.files += files
            self.bytes += n_bytes

    def line(self) -> str:
        """Say what has come, how fast, and when the rest will have."""
        here = self.begun + self.bytes
        rate = self.bytes / max(time.monotonic() - self._start, 1e-9)
        to_come = self.n_bytes - here
        left = timedelta(seconds=round(to_come / rate)) if rate else "unknown time"
        if to_come <= 0:
            left = timedelta(0)
        return (
            f"{self.files} of {self.n_files} files, {amount(here)} of {amount(self.n_bytes)}, "
            f"{amount(rate)}/s, {left} left"
        )


class _StoppedError(Exception):
    """The download was told to stop; what has come stays for the next start."""


def download(root: Path, downloads: Mapping[Path, Remote], connections: int) -> Came:
    """Download all that may be had; an `InputError` if the disk is too small for all."""
    begun = sum(bytes_begun(path, remote) for path, remote in downloads.items())
    total = sum(remote.size for remote in downloads.values())
    _require_space(root, total - begun)
    if downloads:
        size = f"{amount(total)} ({amount(begun)} of it came earlier)"
        log.info("fetching %d files, %s", len(downloads), size)
    progress = Progress(len(downloads), total, begun)
    stop = threading.Event()
    came = Came()

    def arrived(n_bytes: int) -> None:
        progress.count(n_bytes=n_bytes)
        if stop.is_set():
            raise _StoppedError

    def fetch(path: Path) -> None:
        try:
            checked = fetch_file(downloads[path], path, arrived)
        except InputError as error:
            log.error("%s", error)
            came.faults[path] = str(error)
            return
        progress.count(files=1)
        if not checked and path.suffix != ".zip":
            came.unchecked.append(path)

    with ThreadPoolExecutor(connections) as pool:
        largest_first = sorted(downloads, key=lambda path: -downloads[path].size)
        running = {pool.submit(fetch, path) for path in largest_first}
        try:
            while running:
                done, running = wait(running, _SECONDS_PER_LINE, FIRST_EXCEPTION)
                for future in done:
                    future.result()
                if running:
                    log.info("%s", progress.line())
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    came.summary = progress.line()
    return came


def _require_space(root: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(existing(root)).free
    if n_bytes > free:
        raise InputError(
            root,
            f"{amount(n_bytes)} are to come, and {amount(free)} are free",
            "Put the data on a larger disk (data block), or study fewer subjects or sessions",
        )


def amount(n_bytes: float) -> str:
    """Write a number of bytes as people do, in powers of 1000.

    >>> amount(999), amount(36_840_000_000)
    ('999 B', '36.8 GB')
    """
    for unit in ("B", "kB", "MB"):
        if n_bytes < 999.95:
            return f"{n_bytes:.0f} B" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
