from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from brainstruct.errors import InputError
from brainstruct.jobs import log, run_job


@pytest.fixture
def job(tmp_path):
    yield SimpleNamespace(
        rule="fit_ridge", threads=1, log=[str(tmp_path / "deep" / "x.log")], output=["a", "b"]
    )
    log.handlers.clear()
    logging.captureWarnings(False)


def lines(job):
    with open(job.log[0], encoding="utf-8") as handle:  # noqa: PTH123
        return handle.read().splitlines()


def test_log_ends_with_what_was_written(job):
    run_job(lambda job: log.info("half way"), job)
    assert "half way" in lines(job)[1]
    assert "wrote a and 1 more" in lines(job)[-1]


def test_input_errors_are_one_line_without_traceback(job):
    def fail(job):
        raise InputError("x.nii.gz", "has 3 voxels", "Give it 4")

    with pytest.raises(SystemExit) as stop:
        run_job(fail, job)
    assert stop.value.code == 1
    assert lines(job)[-1].endswith("x.nii.gz: has 3 voxels. Give it 4.")
    assert not any("Traceback" in line for line in lines(job))


def test_defects_are_logged_in_full(job):
    def fail(job):
        raise ZeroDivisionError("here")

    with pytest.raises(ZeroDivisionError):
        run_job(fail, job)
    assert any("Traceback" in line for line in lines(job))
    assert lines(job)[-1] == "ZeroDivisionError: here"


def test_a_second_attempt_keeps_the_first_one_s_log(job):
    run_job(lambda job: log.info("first"), job)
    run_job(lambda job: log.info("second"), job)
    text = "\n".join(lines(job))
    assert "first" in text
    assert "second" in text
    assert text.count("second") == 1


def test_importing_a_script_runs_nothing():
    run_job(lambda job: pytest.fail("ran"), None)
