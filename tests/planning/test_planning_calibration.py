from __future__ import annotations

import pytest
from planned import write_benchmark

from brainstruct.planning.calibration import Estimate, calibrate, read_benchmark
from brainstruct.planning.costs import Cost
from brainstruct.planning.disk import stored_bytes
from brainstruct.planning.jobs import Job


@pytest.fixture
def jobs(tmp_path):
    """Four fits; two of one model are done, in twice and four times the estimate."""

    def fit(model, index):
        output = str(tmp_path / f"{model}-{index}.nc")
        return Job(
            "fit_ridge",
            outputs=(output,),
            wildcards={"model": model},
            benchmark=str(tmp_path / "benchmarks" / f"{model}-{index}.tsv"),
        )

    found = [fit("a", 0), fit("a", 1), fit("a", 2), fit("b", 0)]
    for job, seconds, size in ((found[0], 20.0, 300), (found[1], 40.0, 500)):
        write_benchmark(tmp_path / "benchmarks" / f"{job.outputs[0][-6:-3]}.tsv", seconds, 700.0)
        (tmp_path / job.outputs[0]).write_bytes(b"0" * size)
    return found


def estimate(job, seconds=10.0, memory_mb=500.0, size=200.0):
    measured = read_benchmark(job.benchmark) if job.benchmark else None
    return Estimate(job, Cost(seconds, memory_mb), size, measured, stored_bytes(job))


def test_jobs_that_are_done_correct_those_to_come(jobs):
    other = estimate(jobs[3], memory_mb=900.0, size=1000.0)
    found = calibrate([*map(estimate, jobs[:3]), other])
    assert [one.measured is not None for one in found] == [True, True, False, False]
    # (20 + 40) / (10 + 10) in time, (300 + 500) / (200 + 200) in size, 700 / 500 in memory.
    assert found[2].cost == Cost(30.0, 700.0)
    assert found[3].cost == Cost(30.0, pytest.approx(1260.0))
    assert found[3].size == 2000.0


def test_memory_grows_with_the_job_by_the_worst_of_those_measured(jobs):
    done = [estimate(jobs[0], memory_mb=350.0), estimate(jobs[1], memory_mb=7000.0)]
    to_come = [estimate(jobs[2], memory_mb=50.0), estimate(jobs[2], memory_mb=5000.0)]
    found = calibrate([*done, *to_come])
    # 700 MB were twice the first estimate, and a tenth of the second.
    assert found[2].cost.memory_mb == pytest.approx(100.0)
    assert found[3].cost.memory_mb == pytest.approx(10_000.0)


def test_other_rules_keep_their_estimate(jobs):
    other = estimate(Job("embed", outputs=("x",), wildcards={"model": "a"}))
    assert calibrate([*map(estimate, jobs), other])[-1] == other


def test_benchmark_files(tmp_path):
    path = tmp_path / "job.tsv"
    assert read_benchmark(path) is None
    write_benchmark(path, 2.0, "NA")
    assert read_benchmark(path) == Cost(2.0, 0.0)
    path.write_text(path.read_text() + "4.0\t0:00:04\t120.5\t1.0\n")
    assert read_benchmark(path) == Cost(3.0, 120.5)
