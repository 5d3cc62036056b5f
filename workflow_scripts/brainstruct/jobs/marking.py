"""Marks how a job ends, for the run that has sent it; see `brainstruct.store.marks`."""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any, Self

from brainstruct.errors import InputError
from brainstruct.jobs.account import peak_mb, root_of
from brainstruct.store.cuda import trouble_of_gpu
from brainstruct.store.faults import lack_of_memory, trouble_of
from brainstruct.store.marks import Ending, Mark, mark_file, write_mark

log = logging.getLogger("brainstruct")


_SIGNALS = {
    signal.SIGINT: "Run it again",
    signal.SIGTERM: "Run it again, with more time if that was up (resources: runtime)",
    signal.SIGHUP: "Run it again, where no terminal closes over it (nohup, tmux)",
    signal.SIGXCPU: "Raise the limit on the time of the CPU (ulimit -t), and run it again",
}
"""What tells a job to end, and what to do then."""


class Marking:
    """A job's mark: there from its begin, gone after its good end, and else with its end."""

    def __init__(self, job: Any) -> None:
        self._path = mark_file(root_of(job), job.output) if list(job.output) else None
        self._mark = Mark(time.time())
        self._ending: Ending = "error"
        self._usual: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            usual = signal.SIG_DFL, signal.default_int_handler
            handlers = {number: signal.getsignal(number) for number in _SIGNALS}
            self._usual = {number: one for number, one in handlers.items() if one in usual}

    def __enter__(self) -> Self:
        for number in self._usual:
            signal.signal(number, self._told_to_end)
        return self

    def begin(self) -> None:
        """Leave the mark.

        An `InputError` if the results folder cannot be written to.
        """
        if self._path is not None:
            write_mark(self._mark, self._path)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)
        if error is None and self._path is not None:
            self._path.unlink(missing_ok=True)
        elif error is not None:
            self._end(self._ending)

    def explain(self, error: Exception, *, clear: bool) -> None:
        """Say what made the job end; `clear`: one line says all that there is to it."""
        self._ending = ending_of(error, clear=clear)

    def _told_to_end(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._end("signal")
        told = signal.Signals(number)
        seconds = time.time() - self._mark.started
        log.error("told to end (%s) after %.0f s. %s.", told.name, seconds, _SIGNALS[told])
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _end(self, ending: Ending) -> None:
        with suppress(OSError, InputError):  # what ended the job matters more
            if self._path is not None:
                mark = replace(self._mark, ended=time.time(), ending=ending, peak_mb=peak_mb())
                write_mark(mark, self._path)


def ending_of(error: Exception, *, clear: bool) -> Ending:
    """Return what an error means for another attempt."""
    of_gpu = trouble_of_gpu(error)
    if not of_gpu and lack_of_memory(error):
        return "memory"
    # What a disk, a GPU or a machine refuses now, another may give.
    passing = of_gpu or trouble_of(error)
    return "input" if clear and not passing else "error"
