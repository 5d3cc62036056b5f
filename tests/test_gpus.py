"""Jobs of one machine get different GPUs; those of a cluster keep what they were given."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from brainstruct import gpus
from brainstruct.gpus import hold_gpus

HOLD = """
import os, sys, tempfile
tempfile.tempdir = sys.argv[1]
from brainstruct.gpus import hold_gpus
with hold_gpus(1):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A workstation with GPUs 2 and 5."""
    for name in gpus.SCHEDULERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gpus, "lock_folder", lambda: tmp_path / f"brainstruct-gpus-{os.getuid()}")
    monkeypatch.setattr(gpus, "POLL", 0.05)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    return tmp_path


@pytest.fixture
def other_job(machine):
    """A job in a process of its own; yields it and the GPU that it holds."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(machine)],
        env=os.environ | {"PYTHONPATH": "workflow_scripts"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_two_jobs_hold_different_gpus(other_job):
    _, theirs = other_job
    with hold_gpus(1):
        ours = os.environ["CUDA_VISIBLE_DEVICES"]
    assert {theirs, ours} == {"2", "5"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2, 5"


def test_a_third_job_waits_until_another_is_killed(other_job, caplog):
    process, theirs = other_job
    caplog.set_level("INFO", logger="brainstruct")
    threading.Timer(0.5, process.kill).start()
    with hold_gpus(1):
        started = time.monotonic()
        with hold_gpus_of("2,5"):
            assert os.environ["CUDA_VISIBLE_DEVICES"] == theirs
            assert time.monotonic() - started > 0.3
    assert "waiting" in caplog.text


def hold_gpus_of(visible: str):
    """As another job would: with all GPUs of the machine before it."""
    os.environ["CUDA_VISIBLE_DEVICES"] = visible
    return hold_gpus(1)


def test_a_job_of_a_scheduler_keeps_its_gpus(other_job, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with hold_gpus(1):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "2, 5"


def test_a_machine_without_gpus_has_nothing_to_hold(machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with hold_gpus(1):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert list(machine.iterdir()) == []


def test_a_job_may_hold_several(machine):
    with hold_gpus(2):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "2,5"


def test_a_job_without_gpus_holds_none(machine):
    with hold_gpus(0):
        assert list(machine.iterdir()) == []
