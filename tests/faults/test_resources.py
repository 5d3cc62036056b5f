"""What a machine may run out of: each ends in one clear error, and a rerun completes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from checkout import SMALL, Checkout

from brainstruct.store.arrays import read_dataset

pytestmark = pytest.mark.study

RESPONSES = "results/small/responses/subj01.nc"


def limited(checkout: Checkout, limit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake under a limit of the shell."""
    command = f'ulimit {limit}; exec "$@"'
    words = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    return subprocess.run(
        ["bash", "-c", command, "bash", *words],
        cwd=checkout.root,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_a_disk_that_fills_up(edited):
    """A limit on the size of files cuts writes as a full disk does."""
    path = edited.root / RESPONSES
    before = read_dataset(path)
    path.unlink()
    done = limited(edited, "-f 100", RESPONSES, *SMALL)
    assert done.returncode == 1
    assert "results/small/responses: may not hold a file so large" in done.stdout
    assert "Traceback" not in done.stdout
    assert not path.exists()
    assert not list(path.parent.glob(".*"))
    edited.run(RESPONSES, *SMALL)
    assert read_dataset(path).identical(before)


def test_a_results_folder_that_cannot_be_written(edited):
    config = edited.root / "small.yaml"
    config.write_text(config.read_text().replace("results/small", "/proc/brainstruct"))
    done = edited.snakemake("/proc/brainstruct/stimuli/subj01.tsv", *SMALL)
    assert done.status == 1
    assert "/proc/brainstruct" in done.text


def test_two_controllers_in_one_folder(edited):
    """The second is told so and touches nothing; the first completes."""
    (edited.root / RESPONSES).unlink()
    words = [sys.executable, "-m", "snakemake", "--cores", "1", RESPONSES, *SMALL]
    first = subprocess.Popen(
        words, cwd=edited.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    locks = edited.root / ".snakemake/locks"
    deadline = time.monotonic() + 60
    while not (locks.is_dir() and list(locks.iterdir())):
        assert time.monotonic() < deadline, "the first took no lock"
        time.sleep(0.02)
    first.send_signal(signal.SIGSTOP)  # so that it is not done before the second has begun
    second = edited.snakemake(RESPONSES, *SMALL)
    first.send_signal(signal.SIGCONT)
    assert second.status == 1
    assert "lock" in second.text.lower()
    assert "--unlock" in second.text
    text = first.communicate()[0]
    assert first.returncode == 0, text
    assert (edited.root / RESPONSES).is_file()


def test_inputs_from_the_future_end_well(edited):
    """A file server whose clock is ahead: the study completes, with the same content."""
    nsd = edited.root / "resources/small/nsd"
    before = read_dataset(edited.root / RESPONSES)
    ahead = time.time() + 3600
    for path in nsd.rglob("*ncsnr*"):
        os.utime(path, (ahead, ahead))
    edited.run(RESPONSES, *SMALL)
    assert read_dataset(edited.root / RESPONSES).identical(before)
