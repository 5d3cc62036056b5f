"""Scores of many fits as one labelled array, and between which layers the best one lies."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import stdtrit

from brainstruct.encoding.alignment import NO_WINNER
from brainstruct.encoding.columns import Array

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


def depth_interval(
    cv_score: Array, deviation: Array, confidence: float = 0.95
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the layers between which the best one lies, voxel by voxel.

    Layers are neighbours and the difference between two is paired, block by block of held-out
    images. A layer remains if the best one is not ahead of it by more than the upper point of
    Student's t (as in comparisons with the best; Hsu 1984), and the interval reaches from the first
    to the last that remains. The best was chosen by the same scores, so that layers far from each
    other are told apart a little too easily; that the interval takes in all between makes up for
    it (in simulations 95 to 99 % hold the best).

    Parameters
    ----------
    cv_score : array of shape (n_layers, n_voxels)
        Mean score; larger is better, NaN cannot be the best.
    deviation : array of shape (n_layers, n_blocks, n_voxels)
        What the score of each block adds to it.

    Returns
    -------
    low, high : array of shape (n_voxels,)
        Positions of layers.
    """
    score = np.where(np.isnan(cv_score), np.finfo(np.float32).min, cv_score)
    best = score.argmax(0)
    columns = np.arange(best.size)
    n_layers, n_blocks, _ = deviation.shape
    spread = (deviation[best, :, columns].T - deviation).std(1, ddof=1, dtype=np.float64)
    margin = stdtrit(n_blocks - 1, (1 + confidence) / 2) * spread / np.sqrt(n_blocks)
    remains = score[best, columns] - score <= margin
    return remains.argmax(0), n_layers - 1 - remains[::-1].argmax(0)


def interval_of(fits: Sequence[xr.Dataset]) -> NDArray[np.int16]:
    """Return the ends of `depth_interval`, (2, n_voxels), from the fits of all layers.

    They have ``cv_score`` (voxel) and ``cv_deviation`` (block, voxel), which lacks where the layer
    never varies, and the attribute ``layer``. `NO_WINNER` where the solver keeps no deviations.
    """
    kept = [fit["cv_deviation"] for fit in fits if "cv_deviation" in fit]
    if not kept:
        return np.full((2, fits[0].sizes["voxel"]), NO_WINNER, np.int16)
    none = xr.full_like(kept[0], np.nan)
    cv_score = np.stack([fit["cv_score"].values for fit in fits])
    deviation = np.stack([fit.get("cv_deviation", none).values for fit in fits], dtype=np.float32)
    layers = np.array([fit.attrs["layer"] for fit in fits], np.int16)
    return layers[np.stack(depth_interval(cv_score, deviation))]


def with_intervals(found: xr.Dataset, scores: xr.Dataset) -> xr.Dataset:
    """Add ``layer_low`` and ``layer_high`` to what `find_winners` found of the scores.

    They are layers under the winning instruction, (voxel); `NO_WINNER` where there is none, or
    none are known.
    """
    known = found["instruction_index"] != NO_WINNER
    winner = found["instruction_index"].where(known, 0)
    own = scores[["layer_low", "layer_high"]].isel(instruction=winner).drop_vars("instruction")
    return found.merge(own.where(known, NO_WINNER).astype(np.int16))
