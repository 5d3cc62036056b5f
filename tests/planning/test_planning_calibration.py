from __future__ import annotations

from pathlib import Path

import pytest
from planned import keep_account

from brainstruct.planning.calibration import Estimate, calibrate, measured_cost
from brainstruct.planning.costs import Cost
from brainstruct.planning.disk import stored_bytes
from brainstruct.planning.jobs import Job
from brainstruct.store.ledger import Ledger

MEBI = 1.048576
"""The ledger counts 2^20 bytes, plans count millions."""


@pytest.fixture
def jobs(tmp_path):
    """Four fits; two of one model are done, in twice and four times the estimate."""

    def fit(model, index):
        output = str(tmp_path / f"{model}-{index}.nc")
        return Job(
            "fit_ridge",
            outputs=(output,),
            wildcards={"model": model},
        )

    found = [fit("a", 0), fit("a", 1), fit("a", 2), fit("b", 0)]
    for job, seconds, size in ((found[0], 20.0, 300), (found[1], 40.0, 500)):
        keep_account(tmp_path, Path(job.outputs[0]).name, seconds, 700)
        (tmp_path / job.outputs[0]).write_bytes(b"0" * size)
    return found


def estimate(job, seconds=10.0, memory_mb=500.0, size=200.0):
    root = str(Path(job.outputs[0]).parent)
    measured = measured_cost(job, Ledger(root), root, startup_s=0.0)
    return Estimate(job, Cost(seconds, memory_mb), size, measured, stored_bytes(job))


def test_jobs_that_are_done_correct_those_to_come(jobs):
    other = estimate(jobs[3], memory_mb=900.0, size=1000.0)
    found = calibrate([*map(estimate, jobs[:3]), other])
    assert [one.measured is not None for one in found] == [True, True, False, False]
    # (20 + 40) / (10 + 10) in time, (300 + 500) / (200 + 200) in size, 700 / 500 in memory.
    assert found[2].cost == Cost(30.0, pytest.approx(700.0 * MEBI))
    assert found[3].cost == Cost(30.0, pytest.approx(1260.0 * MEBI))
    assert found[3].size == 2000.0


def test_memory_grows_with_the_job_by_the_worst_of_those_measured(jobs):
    done = [estimate(jobs[0], memory_mb=350.0), estimate(jobs[1], memory_mb=7000.0)]
    to_come = [estimate(jobs[2], memory_mb=50.0), estimate(jobs[2], memory_mb=5000.0)]
    found = calibrate([*done, *to_come])
    # 700 MB were twice the first estimate, and a tenth of the second.
    assert found[2].cost.memory_mb == pytest.approx(100.0 * MEBI)
    assert found[3].cost.memory_mb == pytest.approx(10_000.0 * MEBI)


def test_other_rules_keep_their_estimate(jobs):
    other = estimate(Job("embed", outputs=("x",), wildcards={"model": "a"}))
    assert calibrate([*map(estimate, jobs), other])[-1] == other


def test_an_account_counts_from_the_first_line_on(tmp_path):
    job = Job("compare", outputs=(str(tmp_path / "a.nc"), str(tmp_path / "b.nc")))
    assert measured_cost(job, Ledger(tmp_path), str(tmp_path), 1.0) is None
    keep_account(tmp_path, "b.nc", 2.0, 120)
    assert measured_cost(job, Ledger(tmp_path), str(tmp_path), 1.5) == Cost(3.5, 120 * MEBI)


def test_what_was_found_done_has_no_account(tmp_path):
    job = Job("compare", outputs=(str(tmp_path / "a.nc"),))
    keep_account(tmp_path, "a.nc", 0.0, 0)
    assert measured_cost(job, Ledger(tmp_path), str(tmp_path), 1.0) is None


@pytest.mark.parametrize(
    ("held", "asks", "counts"), [(0, 1, False), (1, 0, False), (1, 1, True), (None, 1, True)]
)
def test_what_a_cpu_took_says_nothing_of_a_gpu(tmp_path, held, asks, counts):
    """Accounts of before they said so count still."""
    job = Job("fit_ridge", outputs=(str(tmp_path / "a.nc"),), gpus=asks)
    keep_account(tmp_path, "a.nc", 1328.0, 4500, held)
    assert (measured_cost(job, Ledger(tmp_path), str(tmp_path), 1.0) is not None) == counts
