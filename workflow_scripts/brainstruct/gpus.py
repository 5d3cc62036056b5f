"""Gives every job of a workstation GPUs of its own; a cluster's scheduler has done so."""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

log = logging.getLogger("brainstruct")

SCHEDULERS = ("SLURM_JOB_ID", "LSB_JOBID", "PBS_JOBID", "KUBERNETES_SERVICE_HOST")
"""Set by those that have chosen the GPUs of a job already."""

POLL = 2.0
"""Seconds between two looks for a free GPU."""


def lock_folder() -> Path:
    """Return the folder of this user's locks on the GPUs of this machine."""
    return Path(tempfile.gettempdir()) / f"brainstruct-gpus-{os.getuid()}"


def usable_gpus(environment: Mapping[str, str]) -> list[str]:
    """Return the GPUs that jobs of this machine may use, as CUDA names them.

    Parameters
    ----------
    environment : mapping
        ``CUDA_VISIBLE_DEVICES`` restricts them, if it is set.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip()]
    import torch  # only the environments of jobs with GPUs have it

    return [str(index) for index in range(torch.cuda.device_count())]


@contextmanager
def hold_gpus(wanted: int) -> Iterator[None]:
    """Hold GPUs that no other job of this user holds; let CUDA see these alone.

    To be entered before CUDA is used. Waits while all are held. Locks end with
    their process, however it ends. Nothing is done on machines without a GPU
    and in jobs of a scheduler, which chooses itself.

    Parameters
    ----------
    wanted : int
        Number of GPUs.
    """
    environment = os.environ
    gpus = [] if wanted == 0 or _is_scheduled(environment) else usable_gpus(environment)
    if not gpus:
        yield
        return
    wanted = min(wanted, len(gpus))
    before = environment.get("CUDA_VISIBLE_DEVICES")
    with ExitStack() as stack:
        held = _wait_for(gpus, wanted, stack)
        log.info("on GPU %s of this machine", ", ".join(held))
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(held)
        try:
            yield
        finally:
            if before is None:
                del environment["CUDA_VISIBLE_DEVICES"]
            else:
                environment["CUDA_VISIBLE_DEVICES"] = before


def _is_scheduled(environment: Mapping[str, str]) -> bool:
    return any(name in environment for name in SCHEDULERS)


def _wait_for(gpus: Sequence[str], wanted: int, stack: ExitStack) -> list[str]:
    waiting = False
    while True:
        # All or none: two jobs that wait for each other's GPUs would wait for ever.
        with ExitStack() as attempt:
            held: list[str] = []
            for gpu in gpus:
                if len(held) < wanted and _lock(gpu, attempt):
                    held.append(gpu)
            if len(held) == wanted:
                stack.enter_context(attempt.pop_all())
                return held
        if not waiting:
            log.info("other jobs hold all GPUs (%s): waiting", ", ".join(gpus))
            waiting = True
        time.sleep(POLL)


def _lock(gpu: str, stack: ExitStack) -> bool:
    folder = lock_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    file: IO[str] = stack.enter_context((folder / f"{gpu.replace('/', '_')}.lock").open("w"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
