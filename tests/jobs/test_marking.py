"""The mark of a job says how it ended, and says nothing of one that was killed."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brainstruct.errors import InputError
from brainstruct.jobs.marking import ending_of
from brainstruct.jobs.run import log, run_job
from brainstruct.store.faults import refusal
from brainstruct.store.marks import Mark, mark_file, take_mark
from fake_job import fake_job


@pytest.fixture
def job(tmp_path):
    yield fake_job("fit", tmp_path / "x.log", output={"fit": str(tmp_path / "fit")})
    log.handlers.clear()
    logging.captureWarnings(False)


def mark_of(job):
    return take_mark(mark_file(job.config["results"], job.output))


def test_a_job_is_marked_while_it_runs_and_no_more_after_its_good_end(job):
    seen = []

    def work(*, fit):
        path = mark_file(job.config["results"], job.output)
        seen.append(json.loads(path.read_text()))

    run_job(work, job)
    assert seen[0]["started"] > 1.7e9
    assert (seen[0]["ended"], seen[0]["ending"]) == (0.0, "")
    assert mark_of(job) is None


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (MemoryError("Unable to allocate 3 GiB"), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (InputError("x.nii.gz", "has 3 voxels", "Give it 4"), "input"),
        (OSError(errno.ENOSPC, "No space left on device"), "error"),
        (OSError(errno.ESTALE, "Stale file handle"), "error"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "error"),
        (ZeroDivisionError("here"), "error"),
    ],
)
def test_a_mark_says_what_ended_a_job(job, error, ending):
    def fail(*, fit):
        raise error

    with pytest.raises((SystemExit, type(error))):
        run_job(fail, job)
    mark = mark_of(job)
    assert mark.ending == ending
    assert 0 <= mark.ended - mark.started < 60
    assert mark.peak_mb > 10


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        (errno.ENOLCK, "error"),  # another node may have locks
        (errno.EIO, "error"),
        (errno.ENOMEM, "memory"),
        (errno.ENOENT, "input"),
    ],
)
def test_what_a_reader_says_of_a_file_may_be_the_machine_s_fault(number, ending, tmp_path):
    error = OSError(number, os.strerror(number))
    said = refusal(tmp_path, error, "HDF5 file", "Download it again")
    said.__cause__ = error
    assert ending_of(said, clear=True) == ending


SCRIPT = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from brainstruct.jobs.marking import Marking

root = Path(sys.argv[1])
with Marking(SimpleNamespace(output=[root / "x"], config={"results": str(root)})) as mark:
    mark.begin()
    (root / "there").touch()
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        (signal.SIGTERM, "signal"),
        (signal.SIGINT, "signal"),
        (signal.SIGHUP, "signal"),
        (signal.SIGXCPU, "signal"),
        (signal.SIGKILL, ""),
    ],
)
def test_who_is_told_to_end_says_so_and_who_is_killed_cannot(tmp_path, number, ending):
    library = Path(__file__).parents[2] / "workflow_scripts"
    environment = os.environ | {"PYTHONPATH": str(library)}
    with subprocess.Popen([sys.executable, "-c", SCRIPT, tmp_path], env=environment) as process:
        while not (tmp_path / "there").exists():
            assert process.poll() is None
        process.send_signal(number)
        assert process.wait(20) == -number
    mark = take_mark(mark_file(tmp_path, [tmp_path / "x"]))
    assert mark.ending == ending
    assert (mark.ended > mark.started) == bool(ending)


def test_signals_are_as_they_were_once_a_job_has_ended(job):
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU
    before = [signal.getsignal(number) for number in numbers]
    during = []
    run_job(lambda *, fit: during.extend(map(signal.getsignal, numbers)), job)
    usual = {signal.SIG_DFL, signal.default_int_handler}
    assert all((one == two) != (one in usual) for one, two in zip(before, during, strict=True))
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"begun": 1}', "\x00\x01"])
def test_a_mark_that_is_damaged_is_as_good_as_none(tmp_path, content):
    path = mark_file(tmp_path, ["x"])
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert take_mark(path) is None
    assert not path.exists()


def test_a_mark_is_taken_once(tmp_path):
    from brainstruct.store.marks import write_mark

    path = mark_file(tmp_path, ["b", "a"])
    assert path == mark_file(tmp_path, ["a", "b"])
    write_mark(Mark(1.0, 2.0, "memory", 3), path)
    assert take_mark(path) == Mark(1.0, 2.0, "memory", 3)
    assert take_mark(path) is None
