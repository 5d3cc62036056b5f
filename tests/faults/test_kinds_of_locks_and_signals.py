"""Kinds of locks, folders, limits and signals that end a job in one line."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ending import check_job, check_message, results_in

from brainstruct.embedding.shared import BlockStore
from brainstruct.jobs import gpus
from brainstruct.models.fetch import fetch_from_hub
from brainstruct.store.arrays import write_dataset
from brainstruct.store.files import write_json
from brainstruct.store.tables import write_table


def refusing(number: int) -> Callable[..., object]:
    """A call of the system that is refused."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def full_for_locks(known: Callable[..., int]) -> Callable[..., int]:
    def opening(path: object, *options: int) -> int:
        if str(path).endswith(".lock"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return known(path, *options)

    return opening


def own_folder() -> Path:
    folder = gpus.lock_folder()
    folder.mkdir(mode=0o700)
    return folder


LOCKS: dict[str, tuple[Callable[[pytest.MonkeyPatch], object], list[str]]] = {
    "a folder of locks that is a file": (
        lambda _: gpus.lock_folder().write_text(""), ["cannot hold locks", "TMPDIR"]),
    "a folder of locks that is a link": (
        lambda _: gpus.lock_folder().symlink_to("/"), ["no folder", "TMPDIR"]),
    "a folder of locks that is everybody's": (
        lambda _: own_folder().chmod(0o777), ["written to by others", "TMPDIR"]),
    "a folder of locks that is another's": (
        lambda patch: [own_folder(), patch.setattr(os, "getuid", lambda: 4711)],
        ["another user's", "TMPDIR"]),
    "no folder for temporary files": (
        lambda patch: patch.setattr(gpus, "lock_folder", lambda: Path("/nowhere/locks")),
        ["/nowhere/locks", "TMPDIR"]),
    "a lock that is a link": (
        lambda _: (own_folder() / "2.lock").symlink_to("elsewhere"), ["cannot hold locks"]),
    "a lock that is a folder": (
        lambda _: (own_folder() / "2.lock").mkdir(), ["cannot hold locks", "directory"]),
    "a disk without locks": (
        lambda patch: patch.setattr(fcntl, "flock", refusing(errno.ENOLCK)),
        ["cannot hold locks", "No locks available"]),
    "a disk whose locks hang": (
        lambda patch: patch.setattr(fcntl, "flock", refusing(errno.EDEADLK)),
        ["cannot hold locks"]),
    "a full disk of locks": (
        lambda patch: patch.setattr(gpus.os, "open", full_for_locks(os.open)),
        ["cannot hold locks", "No space left"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOCKS)
def test_locks_on_gpus_that_cannot_be_had_are_one_message(tmp_path, monkeypatch, kind):
    for name in (*gpus.SCHEDULERS, gpus.POD):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    monkeypatch.setattr(gpus, "lock_folder", lambda: tmp_path / "locks")
    spoil, words = LOCKS[kind]
    with monkeypatch.context() as patch:
        spoil(patch)
        check_job(lambda _: pytest.fail("it began"), words, tmp_path / "job", gpu=1)


ARRAY = xr.Dataset({"a": ("x", np.arange(300_000.0))}, {"x": np.arange(300_000)})


def shared(made: Path, spoil: Callable[[Path], object]) -> None:
    """Ask a store of embeddings for a block."""
    folder = made.parents[2] / "store"
    folder.mkdir()
    spoil(folder)
    with BlockStore(folder).turn({"a": 1}):
        pytest.fail("it began")


def in_the_way(folder: Path) -> None:
    """Put files where a store would have folders."""
    for number in range(256):
        (folder / f"{number:02x}").touch()


def with_limit(kind: int, most: int, work: Callable[[], object]) -> None:
    """Do some work under a limit of the system."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, hard))
    try:
        work()
    finally:
        resource.setrlimit(kind, (soft, hard))


def no_descriptor(made: Path) -> None:
    with Path(os.devnull).open() as highest:
        most = highest.fileno()
    with_limit(resource.RLIMIT_NOFILE, most, lambda: write_json({}, made))


def foreign_lock(made: Path) -> None:
    """Fetch into a folder in which another machine has left a lock."""
    lock = made.parent / "checkpoint/.cache/huggingface/download/ledger/model.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(f"4711\nnot-{socket.gethostname()}\n")
    fetch_from_hub("owner/model", "main", made.parent / "checkpoint", "http://127.0.0.1:9")


def below(made: Path) -> Path:
    """Name a result below a file."""
    (made.parent / "ledger").mkdir(exist_ok=True)
    (made.parent / "ledger/file").touch()
    return made.parent / "ledger/file/x.nc"


def taken(made: Path) -> Path:
    """Name a result where a folder is that is not empty."""
    (made / "ledger").mkdir(parents=True)
    return made


FOLDERS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a result below a file": (
        lambda made: write_dataset(ARRAY, below(made)), ["where a folder is to be", "Remove"]),
    "a result far below a file": (
        lambda made: write_dataset(ARRAY, below(made) / "x.nc"), ["below a file", "Remove"]),
    "a table where a folder is": (
        lambda made: write_table(pd.DataFrame({"a": [1]}), taken(made)), ["is a folder"]),
    "too long a name": (
        lambda made: write_json({}, made.with_name("x" * 300)), ["too long a name"]),
    "a limit on the size of files": (
        lambda made: with_limit(
            resource.RLIMIT_FSIZE, 10**6, lambda: write_dataset(ARRAY, made)
        ), ["may not hold a file so large", "ulimit -f"]),
    "a limit on open files": (no_descriptor, ["too many files", "ulimit -n"]),
    "more memory than there is": (
        lambda made: np.empty(1 << 60, np.uint8), ["out of memory", "mem_mb"]),
    "no store of embeddings": (
        lambda made: BlockStore(made.parent / "store"), ["store", "no such folder"]),
    "a store of embeddings with files in its way": (
        lambda made: shared(made, in_the_way), ["store", "where a folder is to be"]),
    "a checkpoint that another machine has locked": (
        foreign_lock, ["model.lock", "process 4711 on not-"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders_and_limits_that_stop_a_job_are_one_message(tmp_path, kind):
    work, words = FOLDERS[kind]
    check_job(work, words, tmp_path / "job")


CLAIMS = {"a claim on a read-only disk": errno.EROFS, "a claim on a disk that went": errno.ESTALE,
           "a claim that is not allowed": errno.EACCES}  # fmt: skip


@pytest.mark.parametrize("kind", CLAIMS)
def test_claims_on_embeddings_that_are_refused_are_one_message(tmp_path, monkeypatch, kind):
    def ask(made: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("brainstruct.embedding.shared.os.open", refusing(CLAIMS[kind]))
            shared(made, lambda folder: None)

    check_job(ask, [os.strerror(CLAIMS[kind])], tmp_path / "job")


def no_room(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("brainstruct.store.publishing._sync", refusing(errno.ENOSPC))


LEDGERS: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], object], list[str]]] = {
    "a file for the ledger": (
        lambda folder, _: (folder / "ledger").touch(), ["lies below a file"]),
    "no room for the ledger": (no_room, ["has no space left"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", LEDGERS)
def test_a_ledger_that_takes_no_mark_is_one_message(tmp_path, monkeypatch, kind):
    spoil, words = LEDGERS[kind]
    folder = tmp_path / "job/results"
    folder.mkdir(parents=True)
    spoil(folder, monkeypatch)
    check_job(lambda made: pytest.fail("it began"), words, tmp_path / "job")


SCRIPT = """
import sys, time
from pathlib import Path
from brainstruct.jobs.run import run_job
from fake_job import fake_job

root = Path(sys.argv[1])

def work(*, made):
    (root / "there").touch()
    time.sleep(60)

wanted = {"gpu": 1} if sys.argv[2] == "waiting" else {}
output = {"made": str(root / "results/made")}
run_job(work, fake_job("rule", root / "job.log", output=output, resources=wanted))
"""

SIGNALS = {
    "Ctrl-C": (signal.SIGINT, "working", ["SIGINT", "again"]),
    "told to end": (signal.SIGTERM, "working", ["SIGTERM", "runtime"]),
    "a terminal that closes": (signal.SIGHUP, "working", ["SIGHUP", "nohup"]),
    "a limit on the time of the CPU": (signal.SIGXCPU, "working", ["SIGXCPU", "ulimit -t"]),
    "told to end while it waits for a GPU": (signal.SIGTERM, "waiting", ["SIGTERM"]),
}


@pytest.mark.parametrize("kind", SIGNALS)
def test_a_signal_is_one_message(tmp_path, kind):
    number, place, words = SIGNALS[kind]
    tests = Path(__file__).parents[1]
    environment = os.environ | {
        "PYTHONPATH": f"{tests.parent / 'workflow_scripts'}:{tests}",
        "TMPDIR": str(tmp_path),
        "CUDA_VISIBLE_DEVICES": "2",
    }
    folder, log = tmp_path / f"brainstruct-gpus-{os.getuid()}", tmp_path / "job.log"
    folder.mkdir(mode=0o700)
    with (folder / "2.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), place]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            while not ((tmp_path / "there").exists() or "waiting" in text_of(log)):
                assert process.poll() is None
                time.sleep(0.02)
            process.send_signal(number)
            assert process.wait(20) == -number
    check_message(text_of(log), words)
    assert results_in(tmp_path / "results") == []


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
