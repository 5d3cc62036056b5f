"""Predictions of the test images at every voxel's selected layer.

Comparisons need one prediction per voxel and instruction, that of the layer which
cross-validation selected. A job that fits all layers keeps the best so far of every
voxel (`BestPrediction`). Where layers are fitted by several jobs, none of them sees
all scores: then the selected layers are fitted once more (`predict_selected`), with
the penalties that are known by then.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from brainstruct.encoding.alignment import best_of
from brainstruct.encoding.columns import Array
from brainstruct.encoding.gram import cross_gram, gram
from brainstruct.encoding.ridge import standardise

CHUNKS = {"prediction": {"voxel": 1000}}
"""How predictions are stored: all images of some voxels together."""


class BestPrediction:
    """Each voxel's prediction at the layer with the best CV score so far.

    `prediction` (n_images, n_voxels), float32, is of the test images; `layer` (n_voxels,) where it
    is from.
    """

    def __init__(self, n_images: int, n_voxels: int) -> None:
        self.prediction = np.zeros((n_images, n_voxels), dtype=np.float32)
        self.layer = np.full(n_voxels, -1, dtype=np.int16)
        self._cv_score = np.full(n_voxels, -np.inf, dtype=np.float32)

    def offer(self, layer: int, prediction: Array, cv_score: Array) -> None:
        """Take over the voxels that a layer predicts better than those before it.

        Of equal scores (n_voxels,), on the training images, the one offered first is kept.
        """
        better = (cv_score > self._cv_score) | (self.layer < 0)
        self.prediction[:, better] = prediction[:, better]
        self.layer[better] = layer
        self._cv_score[better] = np.where(np.isnan(cv_score), -np.inf, cv_score)[better]


def prediction_dataset(
    prediction: Array,
    layer: NDArray[np.int16],
    intercept: NDArray[np.floating],
    stimuli: NDArray[np.int64],
    voxels: NDArray[np.int64],
) -> xr.Dataset:
    """Label predictions (n_images, n_voxels), and store them in half precision.

    The intercept is taken off: half precision is relative, and a constant would eat up the digits
    of what varies. `layer` is what each voxel is predicted from.
    """
    offset = intercept.astype(np.float32)
    return xr.Dataset(
        {
            "prediction": (("stimulus", "voxel"), (prediction - offset).astype(np.float16)),
            "intercept": ("voxel", offset),
            "layer": ("voxel", layer),
        },
        coords={"stimulus": stimuli, "voxel": voxels},
    )


def predict_selected(
    scores: xr.Dataset,
    betas: Array,
    train: NDArray[np.bool_],
    features: Callable[[int], Array],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Array, NDArray[np.int16]]:
    """Predict the test images, every voxel from its selected layer.

    Parameters
    ----------
    scores : xarray.Dataset
        ``cv_score`` and ``alpha`` with dims layer, voxel: one instruction.
    betas : array of shape (n_images, n_voxels)
        Responses to all images; those of test images are not looked at.
    features : callable
        Layer -> features of all images, (n_images, n_features).
    progress : callable, optional
        Called with (layer, voxels that chose it).

    Returns
    -------
    predictions : array of shape (n_test, n_voxels)
        float32, intercept included.
    layer : array of shape (n_voxels,)
        The selected layer.
    """
    cv_score = scores["cv_score"].transpose("layer", "voxel")
    alpha = scores["alpha"].transpose("layer", "voxel").values
    best = best_of(cv_score, "layer").values
    predictions = np.zeros((int((~train).sum()), betas.shape[1]), dtype=np.float32)
    for row in np.unique(best).tolist():
        layer, voxels = int(scores["layer"][row]), np.flatnonzero(best == row)
        X, Y = features(layer), betas[train][:, voxels]
        predictions[:, voxels] = ridge_predict(X[train], Y, X[~train], alpha[row, voxels])
        if progress is not None:
            progress(layer, voxels.size)
    return predictions, scores["layer"].values[best].astype(np.int16)


def ridge_predict(X_train: Array, Y_train: Array, X_test: Array, alpha: Array) -> Array:
    """Fit ridge regression with given penalties, (n_voxels,), and predict.

    The smaller of the p x p and the n x n system is solved, in float64, by one Cholesky
    factorisation per distinct penalty. Returns float32 (n_test, n_voxels).
    """
    X_train, X_test = standardise(X_train, X_test)
    mean = Y_train.mean(0, dtype=np.float64)
    Y = Y_train - mean.astype(np.float32)
    primal = X_train.shape[1] <= X_train.shape[0]
    if primal:
        system, right, left = gram(X_train), X_train.T @ Y, X_test
    else:
        system, right, left = gram(X_train.T), Y, cross_gram(X_test.T, X_train.T)
    diagonal = np.diagonal(system).copy()
    prediction = np.empty((len(X_test), Y.shape[1]), dtype=np.float32)
    # himalaya returns penalties a rounding away from those it was given: such are one.
    keys = np.round(np.log10(alpha.astype(np.float64)), 4)
    for key in np.unique(keys):
        here = keys == key
        np.fill_diagonal(system, diagonal + float(np.median(alpha[here])))
        factor = cho_factor(system, lower=True)
        weights = cho_solve(factor, right[:, here]).astype(left.dtype)
        prediction[:, here] = left @ weights
    return np.asarray(prediction + mean.astype(np.float32))
