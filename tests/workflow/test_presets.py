"""Models and studies to begin with: read strictly, dry-run and planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainstruct.config.files import read_config, study_of
from brainstruct.config.strict import read_strictly
from brainstruct.planning.jobs import dry_run
from brainstruct.planning.plan import make_plan

ROOT = Path(__file__).parents[2]
PRESETS = [*sorted((ROOT / "config/models").glob("*.yaml")), ROOT / "config/first.yaml"]


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_is_a_study_that_can_be_planned(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "local.yaml"
    mine.write_text("subjects: [subj01]\nresults: here\ninstructions: [IC, VQ2]\n")
    assert not read_strictly(path).problems
    study = study_of([path, mine])
    assert study.results == "here"
    jobs = dry_run(str(ROOT / "Snakefile"), read_config([path, mine]), everything=True)
    plan = make_plan(study, jobs, jobs)
    embedded = {job.wildcards["model"] for job in jobs if job.kind == "embed"}
    assert embedded == {model.key for model in study.models}
    assert plan.total("jobs") == len(jobs)
    hours = plan.total("gpu_hours")
    assert 0.001 < hours < 50
    if path.stem in ("first", "laptop"):
        assert all(stage.peak_memory_mb < 16_000 for stage in plan.stages)
    if path.stem == "first":
        assert hours < 0.5
        assert plan.total("core_hours") < 1


def test_the_paper_s_models_are_those_of_a_study_that_names_none():
    assert study_of([ROOT / "config/models/paper.yaml"]).models == study_of().models


def test_every_preset_keeps_to_models_that_its_files_name():
    for path in PRESETS:
        content = read_strictly(path).content
        own = content.get("checkpoints", {})
        named = {model["checkpoint"] for model in content["models"]}
        assert named <= {*own, *read_config()["checkpoints"]}
        assert set(own) <= named
