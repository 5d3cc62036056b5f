"""Trouble for the job of one script, just as its work begins: what a machine may do to it.

`BRAINSTRUCT_TROUBLE` holds lines ``SCRIPT KIND ARGUMENT``:

``room BYTES``   no more address space than the process has then, and so many bytes
``vanish PATH``  the file is gone
``cut PATH``     half of it is gone
``stall PATH``   whoever opens it waits, as on a file server that does not answer

At that moment Snakemake has made its plan and seen the file, and the libraries
are loaded.
"""

import builtins
import fcntl
import os
import resource
import signal
import sys
import time
from pathlib import Path

STALL = 3.0
"""Seconds that an opening waits."""


def room(more):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + int(more)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def vanish(path):
    Path(path).unlink()


def cut(path):
    os.truncate(path, Path(path).stat().st_size // 2)


def stall(path):
    """Hold the kernel's lease on a file: an opening is put off until it is given back.

    `PATH.stalled` is made when somebody had to wait.
    """
    ready, begun = os.pipe()
    if os.fork():
        os.close(begun)
        os.read(ready, 1)
        os.close(ready)
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    handle = os.open(path, os.O_RDWR)
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    os.write(begun, b"x")
    if signal.sigtimedwait([signal.SIGIO], 60):
        Path(f"{path}.stalled").touch()
        time.sleep(STALL)
    os._exit(0)


KINDS = {"room": room, "vanish": vanish, "cut": cut, "stall": stall}


def install(lines, script):
    """Wrap the bridge between job and function, once it is imported."""
    wanted = [line.split(" ", 2) for line in lines.splitlines()]
    mine = [(KINDS[kind], argument) for name, kind, argument in wanted if name == script]
    if not mine:
        return
    original_import = builtins.__import__

    def imported(name, *args, **options):
        module = original_import(name, *args, **options)
        if name == "brainstruct.jobs.run" and mine:
            jobs = sys.modules[name]
            troubles, run_job = mine.copy(), jobs.run_job
            mine.clear()

            def troubled(function, job):
                for make, argument in troubles:
                    make(argument)
                run_job(function, job)

            jobs.run_job = troubled
        return module

    builtins.__import__ = imported
