"""Progress of a download as lines of a log."""

from __future__ import annotations

import threading
import time
from datetime import timedelta


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


def amount(n_bytes: float) -> str:
    """Write a number of bytes as people do, in powers of 1000.

    Examples
    --------
    >>> amount(999), amount(36_840_000_000)
    ('999 B', '36.8 GB')
    """
    for unit in ("B", "kB", "MB"):
        if n_bytes < 999.95:
            return f"{n_bytes:.0f} B" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
