"""The data set that docs/extending.md shows goes through the rules, from its class to bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from checkout import REPOSITORY, Checkout

from brainstruct.models.tiny import instructblip
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import read_table

pytestmark = pytest.mark.study

PAGE = (REPOSITORY / "docs/extending.md").read_text(encoding="utf-8")


def blocks() -> tuple[str, str]:
    """The module of the page, and the configuration of its study."""
    section = PAGE.split("## A data set of your own")[1].split("\n## ")[0]
    return section.split("```python\n")[1].split("```")[0], section.split("```yaml\n")[1].split(
        "```"
    )[0]


CHANGES = {
    "results": "results/squares",
    "subjects": ["anna"],
    "instructions": ["IC", "IU1"],
    "checkpoints": {"instructblip": {"path": "tiny"}},
    "models": [
        {
            "key": "instructblip",
            "label": "InstructBLIP",
            "family": "instructblip",
            "checkpoint": "instructblip",
            "n_layers": 3,
        }
    ],
    "embedding": {"batch_size": 16, "max_new_tokens": 4},
    "encoding": {
        "alphas": {"log10_min": 0, "log10_max": 4, "count": 5},
        "folds": 3,
        "threads": 1,
    },
    "concepts": {},
}
"""What makes the study small; the rest is the page's."""


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    checkout = Checkout.fresh(tmp_path_factory.mktemp("squares") / "checkout")
    module, config = blocks()
    (checkout.root / "squares.py").write_text(module)
    (checkout.root / "squares.yaml").write_text(yaml.safe_dump(yaml.safe_load(config) | CHANGES))
    instructblip.build(checkout.root / "tiny", seed=1, n_blocks=2)
    results = checkout.root / "results/squares"
    model = "anna/instructblip"
    names = ("figures/roi_bars.svg", f"winners/{model}.nc", f"tables/rois/{model}.tsv")
    targets = [f"results/squares/{name}" for name in (*names, "answers/instructblip/IC.tsv")]
    checkout.run(*targets, "--configfile", "squares.yaml")
    return results


def test_it_is_short():
    assert len(blocks()[0].splitlines()) < 100


def test_scores_say_of_which_test_set_they_are(done):
    scores = read_dataset(
        done / "scores/anna/instructblip.nc", ["r"], ["instruction", "layer", "voxel"]
    )
    assert scores.attrs["test_set"] == "tested"
    assert (scores.attrs["n_train"], scores.attrs["n_test"]) == (12, 8)
    assert dict(scores["r"].sizes) == {"instruction": 2, "layer": 3, "voxel": 30}
    assert np.isfinite(scores["r"]).all()


def test_its_noise_ceiling_comes_from_repetitions(done):
    space = read_dataset(done / "ceilings/anna.nc", ["ceiling_ncsnr", "roi_label"], ["voxel"])
    assert (space.attrs["ncsnr_sessions"], space.attrs["ncsnr_repetitions"]) == (2, 2)
    assert space["ceiling_ncsnr"].median() > 0.8  # of betas that are mostly signal
    assert sorted(np.unique(space["roi_label"])) == [1, 2]


def test_its_images_are_embedded_by_set(done):
    names = sorted(path.name for path in (done / "embeddings/instructblip/IC").iterdir())
    assert names == ["fitted-000.nc", "tested-000.nc"]
    answers = read_table(done / "answers/instructblip/IC.tsv")
    assert list(answers["stimulus"]) == list(range(20))


def test_it_ends_in_winners_and_bars(done):
    winners = read_dataset(done / "winners/anna/instructblip.nc", ["alignment"], ["voxel"])
    assert winners.sizes["voxel"] == 30
    bars = read_table(done / "figures/roi_bars.tsv")
    assert set(bars["roi"]) == {"everywhere", "halves"}
    regions = read_table(done / "tables/rois/anna/instructblip.tsv")
    assert {"left", "right"} <= set(regions["label"])
