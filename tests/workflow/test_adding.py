"""A subject whose files are still to come asks for jobs of its own, and changes no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from brainstruct.config.loading import load_study
from brainstruct.workflow.rooms import Rooms

CHECK = ["results/data_check.json"]


def subject(name):
    return SimpleNamespace(subject=name)


def images(name):
    return SimpleNamespace(image_set=name)


@pytest.fixture
def config(paper_config, tmp_path, monkeypatch):
    """Two subjects, of whom the first has all files: five sessions."""
    monkeypatch.chdir(tmp_path)
    paper_config["data"] |= {"nsd_root": "nsd", "sessions": {"subj01": 5}}
    paper_config["subjects"] = ["subj01"]
    for path in map(Path, Rooms.of(load_study(paper_config)).data.inputs.required()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    del paper_config["data"]["sessions"]
    return paper_config | {"subjects": ["subj01", "subj05"]}


def changed(config, **more):
    return Rooms.of(load_study(config | more))


def test_a_subject_without_files_leaves_the_others_as_they_are(config):
    alone, both = changed(config, subjects=["subj01"]), changed(config)
    for room in (alone.data, both.data):
        assert room.check(subject("subj01")) == room.check_of_images(images("subj01")) == []
        assert room.check_of_images(images("shared")) == []
        assert room.cross_subject_ceiling(subject("subj01")) == []
    assert both.data.about_images(images("shared")) == alone.data.about_images(images("shared"))
    assert both.figures.cortices == alone.figures.cortices
    assert alone.data.inputs.said_of_missing() == []


def test_its_own_jobs_wait_and_it_is_said_in_a_line_what_to_fetch(config):
    rooms = changed(config)
    assert rooms.data.check(subject("subj05")) == CHECK
    assert rooms.data.check_of_images(images("subj05")) == CHECK
    assert rooms.exports.check(SimpleNamespace(participant="05")) == CHECK
    assert rooms.exports.check(SimpleNamespace(participant="01")) == []
    assert rooms.viewer.packed(subject("subj05")) == []
    (said,) = rooms.data.inputs.said_of_missing()
    assert said.startswith("Files that are not there yet: subj05 47 (nsd/nsddata_betas/ppdata/subj")
    assert "make fetch_nsd" in said
    assert "\n" not in said


def test_once_they_are_there_it_counts(config):
    for path in map(Path, changed(config).data.inputs.required()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    data = changed(config).data
    assert data.check(subject("subj05")) == []
    assert data.other_subjects(subject("subj01")) == ["subj05"]


def test_responses_that_are_there_count_without_the_data_set(config):
    Path("results/responses").mkdir(parents=True)
    Path("results/responses/subj05.nc").touch()
    assert changed(config).data.present == ["subj01", "subj05"]


def test_where_nobody_has_files_all_wait(config):
    data = changed(config, subjects=["subj05", "subj07"]).data
    assert data.check_of_images(images("shared")) == CHECK
    assert data.present == ["subj05", "subj07"]


def test_a_ceiling_by_other_subjects_waits_for_them(config):
    config["subjects"].append("subj02")
    rooms = changed(config, alignment={"ceiling": "cross_subject"})
    assert rooms.data.other_subjects(subject("subj01")) == ["subj05", "subj02"]


def test_sessions_with_a_hole_stop_their_subject_alone(config):
    rooms = changed(config)
    betas = rooms.data.dataset.layout.betas_folder("subj05")
    betas.mkdir(parents=True)
    for session in (1, 3):
        (betas / f"betas_session0{session}.hdf5").touch()
    data = changed(config).data
    data.inputs.settle()
    assert data.check(subject("subj01")) == []
    assert data.check(subject("subj05")) == CHECK
    assert data.present == ["subj01"]
    assert data.inputs.holes["subj05"][0].endswith("betas_session02.hdf5")
    (said,) = data.inputs.said_of_missing()
    assert said.startswith("subj05: nsd/nsddata_betas")
    assert "use the first 1 sessions only" in said


def test_fewer_sessions_than_configured_stop_their_subject_alone(config):
    config["data"]["sessions"] = {"subj01": 9}
    for path in Path("nsd").rglob("subj01"):
        path.parent.joinpath("subj05").symlink_to(path.absolute())
    data = changed(config).data
    assert data.check(subject("subj01")) == CHECK
    assert data.check(subject("subj05")) == []
    assert "9 sessions are wanted and 5 are there" in data.inputs.holes["subj01"][1]
