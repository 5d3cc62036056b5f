from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.stacking import SCORES, stack_fits


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


def test_mixed_up_fits_are_refused():
    with pytest.raises(ValueError, match="expected fits of"):
        stack_fits([fit("VQ1", 0), fit("IC", 0)], ["IC", "VQ1"], [0])
    with pytest.raises(ValueError, match="different voxels"):
        stack_fits([fit("IC", 0), fit("IC", 4, voxels=2)], ["IC"], [0, 4])
