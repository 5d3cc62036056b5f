"""What a grid of penalties that ends too early costs, in voxels and correlation."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainstruct.encoding.columns import Array
from brainstruct.encoding.scores import pearson
from brainstruct.encoding.selected import ridge_predict

BEYOND = (1.0, 10.0, 1000.0)
"""How many times as far out as the end of the grid penalties are tried."""

MOST_VOXELS = 1000
"""Voxels that are fitted again, at most; evenly spaced ones, if more chose an end."""

PREDICTED = 3.0
"""Standard errors of r from which on a voxel is predicted better than by its mean."""


class EarlyEnd(NamedTuple):
    """Voxels at an end of the grid that are predicted at all, and what their mean r could gain."""

    n_voxels: int
    gain: float

    def matters(self, n_fitted: int) -> bool:
        """Say whether the grid should be widened: 1 % of the voxels, 0.005 of r."""
        return self.n_voxels >= 0.01 * n_fitted and self.gain >= 0.005


def beyond_the_grid(
    X_train: Array,
    Y_train: Array,
    X_test: Array,
    Y_test: Array,
    alpha: Array,
    at_edge: NDArray[np.int8],
    weights: NDArray[np.float64] | None = None,
) -> EarlyEnd:
    """Fit voxels at an end of the grid with penalties beyond it, and compare.

    Arguments are those of a fit and what it chose (`brainstruct.encoding.scores.FitScores`). A
    voxel without signal chooses the largest penalty whatever the grid, and one that hardly has any
    loses nothing by it: only voxels count whose r on the test images, at the end or beyond, is
    above `PREDICTED` / sqrt(n_test). Nothing is selected by it.
    """
    chose = np.flatnonzero(at_edge)
    voxels = chose[:: max(-(-chose.size // MOST_VOXELS), 1)]
    if not voxels.size:
        return EarlyEnd(0, 0.0)
    factors = np.array(BEYOND, np.float32)[:, None] ** at_edge[voxels]
    every = np.tile(voxels, len(BEYOND))
    prediction = ridge_predict(
        X_train, Y_train[:, every], X_test, (alpha[voxels] * factors).ravel(), weights
    )
    r = np.nan_to_num(pearson(Y_test[:, every], prediction)).reshape(len(BEYOND), -1)
    predicted = r.max(0) > PREDICTED / np.sqrt(len(Y_test))
    if not predicted.any():
        return EarlyEnd(0, 0.0)
    mean = r[:, predicted].mean(1)
    return EarlyEnd(round(predicted.mean() * chose.size), float(mean.max() - mean[0]))
