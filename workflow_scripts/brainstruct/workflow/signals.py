"""Ends a run that is told to end: soon, with its jobs, and without a lock that stays.

Snakemake 9.27.1 does not. Its handler of SIGTERM takes a lock that the thread it
interrupts may hold, and waits for itself; before its scheduler stands, SIGTERM leaves
locks of files; and SIGHUP leaves jobs, too. Here handlers take no lock. While jobs are
planned they leave the main thread, by an exception; while jobs run they only wake a
thread, which ends the jobs and asks Snakemake to end as it would by itself.

What should be mended in Snakemake stands in docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any

from brainstruct.workflow.leftovers import cancel_leftovers, say, sends_to_slurm

if TYPE_CHECKING:
    from psutil import Process

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

POLL = 0.2
"""Seconds between looks at what is left."""
KILL_AFTER = 5.0
"""Seconds until jobs that do not end are killed."""
EXIT_AFTER = 20.0
"""Seconds until the process ends whatever it waits for (a late file, its own lock): less than
the 30 that SLURM gives a batch job between SIGTERM and SIGKILL."""

TELL_AGAIN = 5.0
"""Seconds until the main thread is told again, if something has swallowed the exception."""

_WAITS = {threading.Condition.wait.__code__}  # of the scheduler, for jobs; it holds no lock there
_NOT_WITHIN = {"unlock", "_delete_locks"}  # functions of Snakemake that remove locks of files
_SCRIPTS = ".snakemake/scripts"  # where Snakemake writes what a script's process runs


class Signals:
    """Handlers of one run; see `begin`."""

    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow
        self._first: signal.Signals | None = None
        # Unlike other queues and locks it may be used where a handler interrupts its user.
        self._woken: SimpleQueue[signal.Signals] = SimpleQueue()
        self._left: float | None = None  # when an exception was raised in the main thread
        self._sends = self._closing = False
        self._taken: list[signal.Signals] = []
        self._terminals: list[int] = []

    @classmethod
    def begin(cls, workflow: Any) -> Signals:
        """Take the signals that nobody else took or ignores; not those of a module's host."""
        found = cls(workflow)
        if is_program(Path(sys.argv[0])) and workflow.modifier.is_main_snakefile():
            usual = (signal.SIG_DFL, signal.default_int_handler)
            found._taken = [number for number in SIGNALS if signal.getsignal(number) in usual]
            found._terminals = [number for number in (1, 2) if os.isatty(number)]
            threading.Thread(target=found._serve, name="signals", daemon=True).start()
        for number in found._taken:
            signal.signal(number, found._came)
        return found

    def stand(self) -> None:
        """Take SIGTERM back from the scheduler, which stands now and has sent nothing."""
        if signal.SIGTERM in self._taken:
            signal.signal(signal.SIGTERM, self._came)
            if self._workflow.scheduler._user_kill:  # it came before, to the scheduler's handler
                raise SystemExit(128 + signal.SIGTERM)

    def send(self) -> None:
        """From now on there may be jobs."""
        self._sends = True

    def close(self) -> None:
        """All jobs have ended: what this process runs now is none of them."""
        self._closing = True

    # In the main thread.

    def _came(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal, wherever the main thread is."""
        if self._first is None:
            self._first = signal.Signals(number)
            self._woken.put(self._first)
        if frame is not None and not self._closing and self._may_leave(frame):
            self._left = time.monotonic()
            raise SystemExit(128 + self._first)

    def _may_leave(self, frame: FrameType) -> bool:
        """Whether an exception here helps, and does no harm."""
        if self._running:  # Snakemake cancels what it has sent when an exception meets it
            return self._cancels and frame.f_code in _WAITS
        above: FrameType | None = frame
        while above is not None:
            if above.f_code.co_name in _NOT_WITHIN:
                return False
            above = above.f_back
        return True

    # In both.

    @property
    def _running(self) -> bool:
        """Whether there may be jobs, and there is a lock on files that is this run's."""
        if self._workflow.scheduler is None:
            return False
        return self._sends or bool(self._workflow.execution_settings.no_hooks)

    @property
    def _leaves(self) -> bool:
        """Whether jobs go on: in SLURM's queue, where the next run waits for them."""
        return self._first is not signal.SIGINT and sends_to_slurm(self._workflow)

    @property
    def _cancels(self) -> bool:
        """Whether jobs on other machines are to be cancelled."""
        return not (self._workflow.local_exec or self._leaves)

    # In a thread of its own.

    def _serve(self) -> None:
        """Wait for a signal, then see to it that the run ends."""
        number = self._woken.get()
        try:
            self._leave_terminal()
            self._end(number)
            self._free()
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(128 + number)  # whatever other threads wait for

    def _end(self, number: signal.Signals) -> None:
        """End jobs, and give Snakemake time to end."""
        began = time.monotonic()
        if self._running and not self._closing:
            left = "Jobs in SLURM's queue go on, others are ended" if self._leaves else \
                "Jobs are ended"  # fmt: skip
            say(f"{number.name}: this run ends. {left}; the next run goes on from there.")
            # In yet another thread: it waits for the scheduler's lock, maybe for long.
            ask = self._workflow.scheduler.exit_gracefully
            threading.Thread(target=ask, name="exit", daemon=True).start()
        while (now := time.monotonic()) - began < EXIT_AFTER:
            there = not self._closing and self._end_jobs(kill=now - began > KILL_AFTER)
            if self._running and self._leaves and not there:
                return
            time.sleep(POLL)
            if self._left is None or (not self._running and now - self._left > TELL_AGAIN):
                signal.pthread_kill(threading.main_thread().ident or 0, number)

    def _end_jobs(self, *, kill: bool) -> bool:
        """End the processes of jobs on this machine; return whether there were any.

        All are stopped before one is ended: none can leave a child behind.
        """
        import psutil  # only now: parsing is to be quick

        stopped: dict[int, Process] = {}
        while new := [one for one in self._jobs() if one.pid not in stopped]:
            for one in new:
                stopped[one.pid] = one
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.suspend()
        for one in stopped.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
                one.resume()
        return bool(stopped)

    def _jobs(self) -> Iterator[Process]:
        """Iterate over the processes of jobs on this machine."""
        import psutil

        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                # Others are commands of a cluster, which are to end by themselves.
                if self._workflow.local_exec or _SCRIPTS in " ".join(child.cmdline()):
                    yield from (one for one in (child, *child.children(True)) if _lives(one))

    def _free(self) -> None:
        """Do what Snakemake has not come to."""
        if not self._closing:
            self._end_jobs(kill=True)
        if self._running and not self._closing and self._cancels:
            cancel_leftovers(self._workflow)
        if self._running and self._workflow.execution_settings.lock:
            self._workflow.persistence.unlock()

    def _leave_terminal(self) -> None:
        """Write nowhere if the terminal has gone: every word would be an error."""
        gone = [number for number in self._terminals if not os.isatty(number)]
        if gone:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for number in gone:
                os.dup2(nowhere, number)


def is_program(path: Path) -> bool:
    """Return whether this process is Snakemake's command; who uses it as a library decides."""
    return path.name == "snakemake" or path.parts[-2:] == ("snakemake", "__main__.py")


def _lives(process: Process) -> bool:
    return str(process.status()) != "zombie"
