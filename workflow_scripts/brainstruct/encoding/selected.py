"""Predictions of the test images at every voxel's selected layer, and by all layers together.

Comparisons need one prediction per voxel and instruction, that of the layer which
cross-validation selected; the mean of all layers' scores needs one that stands for it. A
job that fits all layers keeps both (`BestPrediction`). Where layers are fitted by
several jobs, none of them sees all scores: then layers are fitted once more
(`predict_selected`), with the penalties that are known by then.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from brainstruct.encoding.columns import Array, standardise, weighted_mean, zscore
from brainstruct.encoding.gram import cross_gram, gram

CHUNKS = {name: {"voxel": 1000} for name in ("prediction", "layer_mean")}
"""How predictions are stored: all images of some voxels together."""


class BestPrediction:
    """Each voxel's prediction at the layer with the best CV score, and the mean of all layers'.

    `prediction` (n_images, n_voxels), float32, is of the test images; `layer` (n_voxels,) where it
    is from. `layer_mean` (n_images, n_voxels) is the mean over layers of predictions that are
    scaled to mean 0 and standard deviation 1: its correlation with a response times its own
    standard deviation is the mean of the layers' correlations.
    """

    def __init__(self, n_images: int, n_voxels: int) -> None:
        self.prediction = np.zeros((n_images, n_voxels), dtype=np.float32)
        self.layer = np.full(n_voxels, -1, dtype=np.int16)
        self._cv_score = np.full(n_voxels, -np.inf, dtype=np.float32)
        self._sum = np.zeros_like(self.prediction)
        self._offered = 0

    def offer(self, layer: int, prediction: Array, cv_score: Array) -> None:
        """Take in a layer's predictions, and keep those of voxels that it predicts best so far.

        Of equal scores (n_voxels,), on the training images, the one offered first is kept.
        """
        better = (cv_score > self._cv_score) | (self.layer < 0)
        self.prediction[:, better] = prediction[:, better]
        self.layer[better] = layer
        self._cv_score[better] = np.where(np.isnan(cv_score), -np.inf, cv_score)[better]
        self._sum += zscore(prediction)[0]
        self._offered += 1

    @property
    def layer_mean(self) -> Array:
        """Mean of the scaled predictions of all layers that were offered."""
        return self._sum / np.float32(self._offered)


def prediction_dataset(
    best: BestPrediction,
    intercept: NDArray[np.floating],
    stimuli: NDArray[np.int64],
    voxels: NDArray[np.int64],
) -> xr.Dataset:
    """Label predictions (n_images, n_voxels), and store them in half precision.

    The intercept is taken off: half precision is relative, and a constant would eat up the digits
    of what varies.
    """
    offset = intercept.astype(np.float32)
    dims = ("stimulus", "voxel")
    return xr.Dataset(
        {
            "prediction": (dims, (best.prediction - offset).astype(np.float16)),
            "layer_mean": (dims, best.layer_mean.astype(np.float16)),
            "intercept": ("voxel", offset),
            "layer": ("voxel", best.layer),
        },
        coords={"stimulus": stimuli, "voxel": voxels},
    )


def predict_selected(
    scores: xr.Dataset,
    betas: Array,
    train: NDArray[np.bool_],
    features: Callable[[int], Array],
    weights: NDArray[np.float64] | None = None,
) -> BestPrediction:
    """Predict the test images from all layers once more, with penalties that are known.

    `scores` has ``cv_score`` and ``alpha`` with dims layer, voxel, of one instruction. Responses
    are (n_images, n_voxels); those of test images are not looked at. `features` are called with
    each layer, and give (n_images, n_features). Weights are as for `ridge_predict`. Predictions are
    float32, intercept included.
    """
    found = scores.transpose("layer", "voxel")
    best = BestPrediction(int((~train).sum()), betas.shape[1])
    for row, layer in enumerate(map(int, found["layer"].values)):
        X, alpha = features(layer), found["alpha"].values[row]
        prediction = ridge_predict(X[train], betas[train], X[~train], alpha, weights)
        best.offer(layer, prediction, found["cv_score"].values[row])
    return best


def ridge_predict(
    X_train: Array,
    Y_train: Array,
    X_test: Array,
    alpha: Array,
    weights: NDArray[np.float64] | None = None,
) -> Array:
    """Fit ridge regression with given penalties, (n_voxels,), and predict.

    The smaller of the p x p and the n x n system is solved, in float64, by one Cholesky
    factorisation per distinct penalty. Weights of the training images are 1 on average, and 1 by
    default. Returns float32 (n_test, n_voxels).
    """
    weights = np.ones(len(X_train)) if weights is None else weights
    X_train, X_test = standardise(X_train, X_test)
    offset = weighted_mean(X_train, weights).astype(np.float32)
    mean = weighted_mean(Y_train, weights)
    root = np.sqrt(weights, dtype=np.float32)[:, None]
    X_train, X_test = (X_train - offset) * root, X_test - offset
    Y = (Y_train - mean.astype(np.float32)) * root
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
