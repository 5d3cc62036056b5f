"""Targets that ask work where the data set is in no state for any other rule."""

from __future__ import annotations

import pytest
import yaml

BETAS = "nsd/nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR"


@pytest.fixture
def hole(fresh, tmp_path):
    """A configuration file of a study whose second session is missing."""
    for session in (1, 3):
        path = tmp_path / BETAS / f"betas_session0{session}.hdf5"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    path = tmp_path / "hole.yaml"
    settings = {"subjects": ["subj01"], "data": {"nsd_root": str(tmp_path / "nsd")}}
    path.write_text(yaml.safe_dump(settings))
    return str(path)


def test_a_hole_is_said_by_whoever_is_asked_and_stops_the_subjects_jobs(fresh, hole):
    shown = fresh.run("-n", "--configfile", hole)
    assert "betas_session02.hdf5: is missing although session 3 is there" in shown.text
    refused = fresh.snakemake("results/responses/subj01.nc", "--configfile", hole)
    assert refused.status == 1
    assert "1 job failed:\n  check_data: " in refused.text
    assert "or use the first 1 sessions only" in refused.text
    assert "Traceback" not in refused.text
    doctor = fresh.snakemake("doctor", "--configfile", hole)
    assert doctor.status == 1
    assert "lacks 1 of 3 sessions: betas_session02.hdf5" in doctor.text
    assert "lacks nsd_expdesign.mat, nsd_stim_info_merged.csv" in doctor.text
    assert "The study cannot run as it is." in doctor.text
    assert "Traceback" not in doctor.text
    fetch = fresh.snakemake("fetch_nsd", "--configfile", hole)
    assert fetch.status == 1
    assert "data sharing and usage agreement" in fetch.text
    assert "Traceback" not in fetch.text


def test_a_study_with_a_hole_is_planned_as_released(fresh, hole):
    plan = fresh.run("plan", "--configfile", hole)
    assert "Traceback" not in plan.text
    assert "made by" not in plan.text  # a question makes nothing
    data = next(line for line in plan.text.splitlines() if "/nsd " in line)
    # Images and small files; the sessions to come are as large as those that are there, empty.
    assert "39.6 GB" in data
