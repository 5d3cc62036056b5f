"""Scores of many fits as one labelled array."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from brainstruct.encoding.depth import interval_of

SCORES = ("r", "r2", "cv_score", "alpha", "p", "p_fwe")
"""What a fit says of every voxel and every other stage reads."""

OF_ALL = ("n_train", "n_test", "test_set", "n_features", "n_permutations", "smallest_p")
"""What the fits of a model have in common."""


def stack_fits(
    fits: Sequence[xr.Dataset], instructions: Sequence[str], layers: Sequence[int]
) -> xr.Dataset:
    """Stack fits along instruction and layer.

    Each fit has `SCORES` with dim ``voxel`` and the attributes ``instruction`` and ``layer``; they
    come instruction by instruction, layers in order. By instruction and voxel, ``layer_low`` and
    ``layer_high`` are between which layers the best one lies, see `interval_of`. A `ValueError` if
    fits are missing, in another order, or of different voxels.
    """
    expected = [(name, layer) for name in instructions for layer in layers]
    found = [(str(fit.attrs["instruction"]), int(fit.attrs["layer"])) for fit in fits]
    if found != expected:
        raise ValueError(f"expected fits of {expected}, got {found}")
    voxels = fits[0]["voxel"]
    if not all(fit["voxel"].equals(voxels) for fit in fits):
        raise ValueError("the fits are of different voxels")
    shape = (len(instructions), len(layers), voxels.size)
    stacked = {name: np.stack([fit[name].values for fit in fits]) for name in SCORES}
    dims = ("instruction", "layer", "voxel")
    firsts = range(0, len(fits), len(layers))
    ends = np.stack([interval_of(fits[first : first + len(layers)]) for first in firsts], axis=1)
    return xr.Dataset(
        {name: (dims, values.reshape(shape)) for name, values in stacked.items()}
        | {f"layer_{end}": (dims[::2], ends[place]) for place, end in enumerate(("low", "high"))},
        coords={"instruction": list(instructions), "layer": list(layers), "voxel": voxels},
        attrs={name: fits[0].attrs[name] for name in OF_ALL},
    )
