"""Progress as lines of a log: batch logs and bars that redraw themselves do not mix."""

import logging
import time

import torch

log = logging.getLogger(__name__)


_EVERY = 10
"""Batches per line."""


class Progress:
    """Counts stimuli of a job; of its `total`, an earlier run has left `finished`."""

    def __init__(self, total: int, finished: int = 0) -> None:
        self._total, self._finished = total, finished
        self._done = self._batches = 0
        self._start = time.monotonic()

    def advance(self, n_stimuli: int) -> None:
        """Count a batch."""
        self._done += n_stimuli
        self._batches += 1
        if self._batches % _EVERY == 0 or self._finished + self._done == self._total:
            log.info("%s", self.line())

    def line(self) -> str:
        """Say how far the job is, how fast, and when it will be done."""
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        so_far = self._finished + self._done
        left = (self._total - so_far) / rate if rate else float("inf")
        return (
            f"{so_far} of {self._total} stimuli, {rate:.1f} per second, "
            f"{duration(left)} left{_gpu_memory()}"
        )


def duration(seconds: float) -> str:
    """Write a duration as h:mm:ss."""
    if seconds == float("inf"):
        return "unknown time"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _gpu_memory() -> str:
    """Say how much of a GPU's memory was in use, if there is one."""
    if not torch.cuda.is_available():
        return ""
    peak = torch.cuda.max_memory_allocated()
    whole = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    return f", GPU memory at most {peak / 2**30:.1f} of {whole / 2**30:.1f} GiB"
