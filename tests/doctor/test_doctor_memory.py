"""What jobs ask for is held against the memory that there is."""

from __future__ import annotations

import pytest
from sound_study import study_of

from brainstruct.config.sense import REPOSITORY
from brainstruct.doctor import machine as examined
from brainstruct.doctor.machine import askings, check_memory
from brainstruct.workflow.requests import machine_mb


@pytest.fixture
def machine(monkeypatch):
    def put(megabytes, cores):
        monkeypatch.setattr(examined, "machine_mb", lambda: megabytes)
        monkeypatch.setattr(examined.os, "sched_getaffinity", lambda _: set(range(cores)))

    return put


def lines(outcome):
    assert {finding.level for finding in outcome.findings} <= {"note"}
    return [finding.line for finding in outcome.findings]


def test_rules_say_what_they_ask_for(sound):
    study = study_of(sound)
    asked = {one.script: one for one in askings(study, REPOSITORY / "rules")}
    assert (asked["embed"].memory_mb, asked["embed"].on_gpu) == (48000, True)
    assert asked["fit_ridge"].memory_mb == 8000
    assert asked["fit_ridge"].threads == study.encoding.threads
    assert asked["draw_roi_bars"].threads == 1


def test_a_large_machine_holds_everything(sound, machine):
    machine(1_000_000, 16)
    assert lines(check_memory(study_of(sound))) == []


def test_a_job_that_is_larger_than_the_machine(sound, machine):
    machine(24_000, 1)
    (line,) = lines(check_memory(study_of(sound)))
    assert "embed (48 GB) ask for more than this machine has" in line


def test_jobs_that_fit_alone_but_not_side_by_side(sound, machine):
    machine(60_000, 32)
    (line,) = lines(check_memory(study_of(sound, encoding={"threads": 4})))
    assert "with --cores 32" in line
    assert "fit_ridge (8 GB)" in line
    assert "embed" not in line  # as many as there are GPUs
    assert "--profile profiles/local" in line


def test_fits_that_ask_for_gpus_are_as_many_as_there_are(sound, machine):
    machine(60_000, 32)
    fitted = study_of(sound, encoding={"threads": 4, "gpus": 1})
    (line,) = lines(check_memory(fitted))
    assert "fit_ridge" not in line
    assert "predict_selected (8 GB)" in line


def test_rules_may_lie_elsewhere(sound, machine, tmp_path):
    machine(1000, 4)
    assert lines(check_memory(study_of(sound), rules=tmp_path)) == []


def test_this_machine_has_some():
    assert 100 < machine_mb() < 10**8
