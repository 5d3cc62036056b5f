"""Jobs of one machine get different GPUs, and so do jobs in one job of a scheduler."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time

import pytest

from brainstruct.errors import InputError
from brainstruct.jobs import gpus
from brainstruct.jobs.gpus import hold_gpus

HOLD = """
import os, sys, tempfile
tempfile.tempdir = sys.argv[1]
from brainstruct.jobs.gpus import hold_gpus
with hold_gpus(1):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A workstation with GPUs 2 and 5."""
    for name in (*gpus.SCHEDULERS, gpus.POD):
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
    with hold_gpus(1):
        started = time.monotonic()
        threading.Timer(0.5, process.kill).start()
        with hold_gpus_of("2,5"):
            assert os.environ["CUDA_VISIBLE_DEVICES"] == theirs
            assert time.monotonic() - started > 0.3
    assert "waiting" in caplog.text


def hold_gpus_of(visible: str):
    """As another job would: with all GPUs of the machine before it."""
    os.environ["CUDA_VISIBLE_DEVICES"] = visible
    return hold_gpus(1)


@pytest.mark.parametrize("name", gpus.SCHEDULERS)
def test_a_scheduler_s_job_minds_no_locks_but_its_own(other_job, monkeypatch, name):
    """GPUs of two jobs may be called the same: each sees its own alone."""
    _, theirs = other_job
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", theirs)
    monkeypatch.setenv(name, "7")
    with hold_gpus(1):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == theirs


@pytest.mark.parametrize(("name", "value"), [("SLURM_JOB_ID", "7"), (gpus.POD, "10.0.0.1")])
def test_jobs_in_one_job_of_a_scheduler_hold_different_gpus(machine, monkeypatch, name, value):
    """Of an interactive one with several GPUs."""
    monkeypatch.setenv(name, value)
    with hold_gpus(1):
        first = os.environ["CUDA_VISIBLE_DEVICES"]
        with hold_gpus_of("2,5"):
            assert {first, os.environ["CUDA_VISIBLE_DEVICES"]} == {"2", "5"}


@pytest.mark.parametrize(
    ("visible", "usable"),
    [
        ("0, 1", ["0", "1"]),
        ("-1", []),
        ("2,-1,5", ["2"]),
        ("NoDevFiles", []),
        ("GPU-8932f937,MIG-1a", ["GPU-8932f937", "MIG-1a"]),
        ("3,3", ["3"]),
        ("", []),
    ],
)
def test_the_list_of_gpus_is_read_as_cuda_reads_it(monkeypatch, visible, usable):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus.usable_gpus() == usable


@pytest.mark.parametrize("kind", ["link", "file", "open"])
def test_a_lock_folder_that_another_user_may_have_made_is_refused(machine, kind):
    folder = gpus.lock_folder()
    if kind == "link":
        (machine / "elsewhere").mkdir()
        folder.symlink_to(machine / "elsewhere")
    elif kind == "file":
        folder.write_text("")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(InputError, match="TMPDIR"), hold_gpus(1):
        pass


def test_the_lock_folder_of_another_user_is_refused(machine, monkeypatch):
    folder = gpus.lock_folder()
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(gpus, "lock_folder", lambda: folder)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(InputError, match="another user's"), hold_gpus(1):
        pass


def test_a_lock_follows_no_link_and_empties_no_file(machine):
    folder = gpus.lock_folder()
    folder.mkdir(mode=0o700)
    (machine / "precious").write_text("content")
    (folder / "2.lock").symlink_to(machine / "precious")
    with pytest.raises(InputError, match="cannot hold locks"), hold_gpus(1):
        pass
    (folder / "2.lock").unlink()
    (folder / "2.lock").hardlink_to(machine / "precious")
    with hold_gpus(1):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"
    assert (machine / "precious").read_text() == "content"


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


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EIO, errno.ESTALE])
def test_a_file_system_that_refuses_locks_is_named(machine, monkeypatch, number):
    """As the network disk does that TMPDIR points to."""

    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(InputError, match=os.strerror(number)) as refused, hold_gpus(1):
        pass
    assert "TMPDIR" in refused.value.cure


@pytest.fixture
def old_card(monkeypatch):
    """A GPU, seen through stand-ins, that this PyTorch holds no code for."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "V100")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (7, 0))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80"])
    return monkeypatch


@pytest.mark.usefixtures("machine")
def test_a_gpu_without_code_is_refused_before_the_work(old_card):
    expected = pytest.raises(InputError, match=r"V100 has compute capability 7\.0.*7\.5, 8\.0")
    with expected, hold_gpus(1):
        pytest.fail("the work began")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2, 5"
    old_card.setattr(gpus.sys.modules["torch"].cuda, "get_arch_list", lambda: ["sm_70"])
    with hold_gpus(1):
        pass


@pytest.mark.usefixtures("old_card")
def test_a_job_without_gpus_minds_none():
    with hold_gpus(0):
        pass
