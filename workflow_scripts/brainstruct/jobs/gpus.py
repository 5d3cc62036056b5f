"""Gives every job GPUs of its own: of a workstation, or of what a scheduler has given.

A scheduler's job may be one job of the workflow, or an interactive one, with
several GPUs, in which Snakemake runs many.
"""

import fcntl
import logging
import os
import platform
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path

from brainstruct.errors import InputError
from brainstruct.store.cuda import lack_of_code

log = logging.getLogger("brainstruct")

SCHEDULERS = ("SLURM_JOB_ID", "LSB_JOBID", "PBS_JOBID")
"""Hold the number of a scheduler's job. Two of them may give different GPUs one name."""

POD = "KUBERNETES_SERVICE_HOST"  # set in Kubernetes, where a job is a machine by its name
POLL = 2.0  # seconds between two looks for a free GPU


def lock_folder() -> Path:
    """Return the folder of this user's locks on the GPUs of this machine."""
    return Path(tempfile.gettempdir()) / f"brainstruct-gpus-{os.getuid()}"


def usable_gpus() -> list[str]:
    """Return the GPUs that jobs of this machine may use, as CUDA names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        import torch  # only the environments of jobs with GPUs have it

        return [str(index) for index in range(torch.cuda.device_count())]
    names = filter(None, map(str.strip, visible.split(",")))
    # CUDA's list ends at -1, or any other word.
    named = takewhile(lambda name: name.isdecimal() or name.startswith(("GPU-", "MIG-")), names)
    return list(dict.fromkeys(named))


@contextmanager
def hold_gpus(wanted: int) -> Iterator[None]:
    """Hold GPUs that no other job of this user holds; let CUDA see these alone.

    To be entered before CUDA is used. Waits while all are held. Locks end with their process,
    however it ends. Nothing is done on machines without a GPU. In a job of a scheduler the other
    jobs are those of the same job, for the scheduler keeps its own apart. An `InputError` if the
    locks cannot be kept in the folder for temporary files, or PyTorch holds no code for a GPU.
    """
    environment = os.environ
    gpus = [] if wanted == 0 else usable_gpus()
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
            _require_code()
            yield
        finally:
            if before is None:
                del environment["CUDA_VISIBLE_DEVICES"]
            else:
                environment["CUDA_VISIBLE_DEVICES"] = before


def _require_code() -> None:
    """Refuse GPUs that this PyTorch cannot run on, before data are read and models loaded."""
    torch = sys.modules.get("torch")  # without it the job computes nothing on a GPU
    if torch is None or not torch.cuda.is_available():
        return
    codes = torch.cuda.get_arch_list()
    for index in range(torch.cuda.device_count()):
        name, found = torch.cuda.get_device_name(index), torch.cuda.get_device_capability(index)
        if lacking := lack_of_code(name, found, codes):
            raise InputError(f"GPU on {platform.node()}", *lacking)


def _scheduled() -> str:
    """Return what begins the names of locks: a scheduler's job, or nothing."""
    if POD in os.environ:
        return f"{platform.node()}-"
    return "".join(f"{os.environ[name]}-" for name in SCHEDULERS if name in os.environ)


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
    name = f"{_scheduled()}{gpu}.lock".replace("/", "_")
    folder = lock_folder()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _require_own(folder)
        # Neither a link is followed nor content lost, whatever lies there.
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        stack.callback(os.close, file)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # all jobs look for locks in this folder
        said = error.strerror
        raise InputError(folder, f"cannot hold locks on GPUs ({said})", _OTHER_FOLDER) from error
    return True


_OTHER_FOLDER = "Delete it, or set TMPDIR to a folder of your own, on a disk of this machine"


def _require_own(folder: Path) -> None:
    """Check that nobody else has made the folder, in which they could place links."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise InputError(folder, "is no folder, or another user's", _OTHER_FOLDER)
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(folder, "can be written to by others", _OTHER_FOLDER)
