"""Between which layers the best one lies: an interval of depth."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import t

from brainstruct.encoding.alignment import NO_WINNER
from brainstruct.encoding.columns import Array


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
    margin = t.ppf((1 + confidence) / 2, n_blocks - 1) * spread / np.sqrt(n_blocks)
    remains = score[best, columns] - score <= margin
    return remains.argmax(0), n_layers - 1 - remains[::-1].argmax(0)


def with_intervals(
    found: xr.Dataset, scores: xr.Dataset, deviations: Callable[[str], Array | None]
) -> xr.Dataset:
    """Add ``layer_low`` and ``layer_high`` to what `find_winners` found of the scores.

    They are layers under the winning instruction, (voxel); `NO_WINNER` where there is none, or no
    deviations. `deviations` is called with the key of an instruction, see `depth_interval`.
    """
    layers = scores["layer"].values
    index = found["instruction_index"].values
    ends = np.full((2, index.size), NO_WINNER, np.int16)
    for place, name in enumerate(scores["instruction"].values):
        here = index == place
        deviation = deviations(str(name)) if here.any() else None
        if deviation is not None:
            cv_score = scores["cv_score"].sel(instruction=name).transpose("layer", "voxel").values
            interval = depth_interval(cv_score[:, here], deviation[..., here])
            ends[:, here] = layers[np.stack(interval)]
    return found.assign(layer_low=("voxel", ends[0]), layer_high=("voxel", ends[1]))
