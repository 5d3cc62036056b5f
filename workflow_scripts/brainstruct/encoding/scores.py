"""Scores of predictions, one per voxel."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainstruct.encoding.columns import Array, centre


class EarlyEnd(NamedTuple):
    """Voxels at an end of the grid that are predicted at all, and what their mean r could gain."""

    n_voxels: int
    gain: float

    def matters(self, n_fitted: int) -> bool:
        """Say whether the grid should be widened: 1 % of the voxels, 0.005 of r."""
        return self.n_voxels >= 0.01 * n_fitted and self.gain >= 0.005


@dataclass(frozen=True)
class FitScores:
    """Scores of one feature space, per voxel.

    Attributes
    ----------
    r, r2 : array of shape (n_voxels,)
        Pearson correlation and coefficient of determination on the test images.
    cv_score : array of shape (n_voxels,)
        Best cross-validation score on the training images, mean over folds.
    cv_blocks : array of shape (n_blocks, n_voxels)
        The same of blocks of the held-out images; no block if the solver keeps none.
    alpha, at_edge : array of shape (n_voxels,)
        Chosen penalty, and whether it is the smallest (-1) or largest (1) of the grid, else 0.
    early : EarlyEnd
        What voxels at an end of the grid could gain beyond it.
    prediction : array of shape (n_test, n_voxels)
        Predicted responses to the test images, in the units of the fit.
    """

    r: Array
    r2: Array
    cv_score: Array
    cv_blocks: Array
    alpha: Array
    at_edge: NDArray[np.int8]
    early: EarlyEnd
    prediction: Array


def pearson(truth: Array, prediction: Array) -> Array:
    """Pearson correlation over images.

    Responses are (n_images, n_voxels). Returns float32 (n_voxels,): NaN where the measured response
    is constant; 0 where only the prediction is (a model that predicts nothing explains nothing).
    """
    require_same_shape(truth.shape, prediction.shape)
    (a, squares_a), (b, squares_b) = centre(truth), centre(prediction)
    product = np.sqrt(squares_a) * np.sqrt(squares_b)
    r = np.divide((a * b).sum(0), product, out=np.zeros_like(product), where=product > 0)
    r[squares_a == 0] = np.nan
    return np.asarray(np.clip(r, -1, 1), np.float32)


def r_squared(truth: Array, prediction: Array) -> Array:
    """Coefficient of determination, 1 - SS_residual / SS_total, over images.

    Responses are (n_images, n_voxels). Returns float32 (n_voxels,); the total is about the mean of
    `truth` itself. NaN where `truth` is constant.
    """
    require_same_shape(truth.shape, prediction.shape)
    residual = ((truth.astype(np.float64) - prediction) ** 2).sum(0)
    _, total = centre(truth)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = 1 - residual / total
    score[total == 0] = np.nan
    return np.asarray(score, np.float32)


def require_same_shape(truth: tuple[int, ...], prediction: tuple[int, ...]) -> None:
    """Check that two shapes are one (images, voxels)."""
    if truth != prediction or len(truth) != 2:
        raise ValueError(f"shapes {truth} and {prediction} are not one (images, voxels)")
