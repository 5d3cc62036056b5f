from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.alignment import NO_WINNER
from brainstruct.encoding.stacking import SCORES, stack_fits, with_intervals


def fit(instruction, layer, voxels=3):
    value = {"IC": 0, "VQ1": 100}[instruction] + layer
    return xr.Dataset(
        {name: ("voxel", np.full(voxels, value, np.float32)) for name in SCORES},
        coords={"voxel": np.arange(voxels)},
        attrs={
            "instruction": instruction,
            "layer": layer,
            "n_train": 9,
            "n_test": 1,
            "test_set": "shared",
            "n_features": 2,
            "n_permutations": 1000,
            "smallest_p": 1e-7,
        },
    )


def test_fits_land_where_their_labels_say():
    fits = [fit(name, layer) for name in ("IC", "VQ1") for layer in (0, 4)]
    stacked = stack_fits(fits, ["IC", "VQ1"], [0, 4])
    assert stacked["r"].sel(instruction="VQ1", layer=4).values.tolist() == [104] * 3
    assert stacked["alpha"].dims == ("instruction", "layer", "voxel")
    assert stacked.attrs["n_train"] == 9


def test_a_voxel_s_best_layer_lies_between_those_that_its_blocks_cannot_tell_from_it():
    """Scores rise with the layer, by 10, in blocks that differ by much or little."""
    fits = [fit(name, layer) for name in ("IC", "VQ1") for layer in (0, 10, 20)]
    for one, spread in zip(fits[:3], ([0, 5, 0], [30, 0, 0], [60, 5, 0]), strict=True):
        one["cv_deviation"] = ("block", "voxel"), np.outer([-1.0, 0.0, 1.0], spread)
    stacked = stack_fits(fits, ["IC", "VQ1"], [0, 10, 20])
    assert stacked["layer_low"].sel(instruction="IC").values.tolist() == [0, 10, 20]
    assert stacked["layer_high"].sel(instruction="IC").values.tolist() == [20, 20, 20]
    # This solver keeps no blocks.
    assert (stacked[["layer_low", "layer_high"]].sel(instruction="VQ1") == NO_WINNER).all()
    # One layer never varied: it has no blocks, and cannot be the best.
    never = fits[2].drop_vars("cv_deviation").assign(cv_score=fits[2]["cv_score"] * np.nan)
    stacked = stack_fits([*fits[:2], never], ["IC"], [0, 10, 20])
    assert stacked["layer_high"].values.tolist() == [[10, 10, 10]]


def test_winners_have_the_interval_of_their_own_instruction():
    low = [[0, 4, 8], [16, 20, 24]]
    scores = xr.Dataset(
        dict.fromkeys(("layer_low", "layer_high"), (("instruction", "voxel"), low)),
        coords={"instruction": ["IC", "VQ1"]},
    )
    found = xr.Dataset({"instruction_index": ("voxel", [1, NO_WINNER, 0])})
    assert with_intervals(found, scores)["layer_low"].values.tolist() == [16, NO_WINNER, 8]


def test_mixed_up_fits_are_refused():
    with pytest.raises(ValueError, match="expected fits of"):
        stack_fits([fit("VQ1", 0), fit("IC", 0)], ["IC", "VQ1"], [0])
    with pytest.raises(ValueError, match="different voxels"):
        stack_fits([fit("IC", 0), fit("IC", 4, voxels=2)], ["IC"], [0, 4])
