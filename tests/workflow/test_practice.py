"""Data to practise on are a data set like any other to a study that names their folder."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from checkout import REPOSITORY, SMALL

from brainstruct.results import load_winners
from brainstruct.store.arrays import read_dataset

pytestmark = pytest.mark.study


def practice(n_layers: int) -> dict:
    """The study of docs/practice.md, on the small study's data and checkpoint."""
    text = (REPOSITORY / "config/practice.yaml").read_text()
    config = yaml.safe_load(text.replace("resources/demo", "resources/small"))
    config["models"][0]["n_layers"] = n_layers
    config["flatmaps"] = {"height": 128}
    config["data"]["rois"] = ["prf-visualrois", "floc-bodies"]
    return config


def test_from_synthetic_to_maps_on_the_subjects_own_surfaces(edited):
    results = sorted(path for path in edited.root.glob("results/small/*/**/*.nc"))
    wanted = edited.run("synthetic", "-n", *SMALL).jobs
    assert wanted == {"write_synthetic_surfaces_subj01": 1, "synthetic": 1}
    edited.run("synthetic", *SMALL)
    assert sorted(edited.root.glob("results/small/*/**/*.nc")) == results

    (edited.root / "practice.yaml").write_text(yaml.safe_dump(practice(5)))
    figure = "results/practice/figures/winning_instruction/subj01_instructblip.png"
    edited.run(figure, "--configfile", "practice.yaml")
    assert (edited.root / figure).stat().st_size > 10_000
    ready = json.loads((edited.root / "results/practice/pycortex/ready.json").read_text())
    assert ready["subj01"]["source"] == "freesurfer"

    winners = load_winners(edited.root / "results/practice", "subj01", "instructblip")
    truth = read_dataset(
        edited.root / "resources/small/nsd/brainstruct_truth/subj01.nc", ["planted_instruction"]
    )
    planted = truth["planted_instruction"].values
    found = winners["winner"].values
    told = np.isin(found, ["IC", "IU1"]) & (planted != "")
    assert told.sum() > 100
    assert np.mean(found[told] == planted[told]) > 0.95
