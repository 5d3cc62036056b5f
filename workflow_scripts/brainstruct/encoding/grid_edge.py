"""What a grid of penalties that ends too early costs, in voxels and correlation."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from brainstruct.encoding.columns import Array
from brainstruct.encoding.scores import EarlyEnd, pearson

BEYOND = (1.0, 10.0, 1000.0)
"""How many times as far out as the end of the grid penalties are tried."""

MOST_VOXELS = 1000
"""Voxels that are fitted again, at most; evenly spaced ones, if more chose an end."""

PREDICTED = 3.0
"""Standard errors of r from which on a voxel is predicted better than by its mean."""


def beyond_the_grid(
    predict_at: Callable[[NDArray[np.intp], Array], Array],
    Y_test: Array,
    alpha: Array,
    at_edge: NDArray[np.int8],
) -> EarlyEnd:
    """Fit voxels at an end of the grid with penalties beyond it, and compare.

    `predict_at` takes voxels and a penalty for each, and predicts their responses to the test
    images; `Y_test` are the measured ones, (n_test, n_voxels). A voxel without signal chooses the
    largest penalty whatever the grid, and one that hardly has any loses nothing by it: only voxels
    count whose r on the test images, at the end or beyond, is above `PREDICTED` / sqrt(n_test).
    Nothing is selected by it.
    """
    chose = np.flatnonzero(at_edge)
    voxels = chose[:: max(-(-chose.size // MOST_VOXELS), 1)]
    if not voxels.size:
        return EarlyEnd(0, 0.0)
    factors = np.array(BEYOND, np.float32)[:, None] ** at_edge[voxels]
    every = np.tile(voxels, len(BEYOND))
    prediction = predict_at(every, (alpha[voxels] * factors).ravel())
    r = np.nan_to_num(pearson(Y_test[:, every], prediction)).reshape(len(BEYOND), -1)
    predicted = r.max(0) > PREDICTED / np.sqrt(len(Y_test))
    if not predicted.any():
        return EarlyEnd(0, 0.0)
    mean = r[:, predicted].mean(1)
    return EarlyEnd(round(predicted.mean() * chose.size), float(mean.max() - mean[0]))
