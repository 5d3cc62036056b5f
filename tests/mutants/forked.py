"""Work in a forked process, with its output in a file, within a time."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MORE_MEMORY = 8 * 2**30
"""Bytes of addresses that a process may take on top: some changes ask for terabytes."""
LATE = 124
"""Exit status of what was ended because its time was over."""


def forked(work: Callable[[], int], seconds: float, output: Path) -> int:
    """Return the work's exit status; that of a signal is negative.

    Its process group, which it leads, is killed at the end: nothing that it started stays.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _work(work, output)
    try:
        return _status(child, time.monotonic() + seconds)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


def _status(child: int, end: float) -> int:
    pause = 0.01
    while time.monotonic() < end:
        found, code = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(code)
        time.sleep(pause := min(pause * 1.5, 0.1))
    return LATE


def _work(work: Callable[[], int], output: Path) -> None:
    status = 70
    try:
        os.setsid()
        with output.open("wb") as file:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (size + MORE_MEMORY, hard))
        status = work()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
