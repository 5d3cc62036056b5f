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
    config["embedding"]["instructions_per_job"] = "all"
    config["data"] |= {"rois": ["prf-visualrois", "floc-bodies"], "sessions": 1}
    return config


def by_place(stored, name: str) -> dict:
    """A voxel's place in the volume -> what is said of it."""
    places = np.stack([stored[axis].values for axis in "ijk"], axis=1).tolist()
    return dict(zip(map(tuple, places), stored[name].values.tolist(), strict=True))


def test_from_synthetic_to_maps_on_the_subjects_own_surfaces(edited):
    results = edited.root / "results"
    there = sorted(results.glob("small/*/**/*.nc"))
    written = edited.run("synthetic", *SMALL).jobs
    assert written == {"write_synthetic_surfaces_subj01": 1, "synthetic": 1}
    assert sorted(results.glob("small/*/**/*.nc")) == there

    (edited.root / "practice.yaml").write_text(yaml.safe_dump(practice(5)))
    figure = "practice/figures/winning_instruction/subj01_instructblip.png"
    edited.run(f"results/{figure}", "--configfile", "practice.yaml")
    assert (results / figure).stat().st_size > 10_000
    ready = json.loads((results / "practice/pycortex/ready.json").read_text())
    assert ready["subj01"]["source"] == "freesurfer"

    winners = by_place(load_winners(results / "practice", "subj01", "instructblip"), "winner")
    truth = edited.root / "resources/small/nsd/brainstruct_truth/subj01.nc"
    planted = by_place(read_dataset(truth, ["planted_instruction"]), "planted_instruction")
    told = [place for place, winner in winners.items() if winner and planted[place]]
    assert len(told) > 100
    assert np.mean([winners[place] == planted[place] for place in told]) > 0.95
