"""A study that is told to end, again and again, at random moments."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest
from campaign import differences, leftovers
from checkout import ONE_THREAD_OFFLINE, SMALL, Checkout

pytestmark = pytest.mark.study

COUNT = 40


def in_session(session: int) -> list[int]:
    """Return the processes of a session that have not ended."""
    found = []
    for process in psutil.process_iter(["status"]):
        try:
            if os.getsid(process.pid) == session and process.info["status"] != "zombie":
                found.append(process.pid)
        except ProcessLookupError:
            continue
    return found


@pytest.mark.skipif(os.environ.get("BRAINSTRUCT_FAULTS_FULL") != "1", reason="make test-full")
def test_a_study_under_random_signals_ends_as_an_undisturbed_one(finished, tmp_path):
    disturbed = Checkout.fresh(tmp_path / "checkout")
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *SMALL]
    draw = random.Random(11)
    ends = []
    while len(ends) < COUNT:
        number = draw.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
        group = draw.random() < 0.5
        with (tmp_path / "log").open("w") as log:
            run = subprocess.Popen(
                command,
                cwd=disturbed.root,
                env=os.environ | ONE_THREAD_OFFLINE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        time.sleep(draw.uniform(2, 20))
        if run.poll() is not None:  # done, or it had nothing to do
            assert run.returncode == 0, (tmp_path / "log").read_text()
            (disturbed.root / "results/small/scores/subj01/instructblip.nc").unlink()
            continue
        began = time.monotonic()
        (os.killpg if group else os.kill)(run.pid, number)
        run.wait(timeout=60)
        ends.append(time.monotonic() - began)
        assert in_session(run.pid) == []
        assert list((disturbed.root / ".snakemake/locks").glob("*")) == []
    print(f"{COUNT} signals; the last run ended after {max(ends):.1f} s at most")
    disturbed.run(*SMALL)
    assert differences(finished.root, disturbed.root) == []
    assert leftovers(disturbed.root) == []
