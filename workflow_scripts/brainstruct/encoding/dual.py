"""Cross-validated kernel ridge: out-of-fold predictions of many targets from one kernel."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from brainstruct.encoding.columns import Array, batches
from brainstruct.encoding.eigen import eigh_of_array

Rows = NDArray[np.intp]

TARGETS_AT_ONCE = 4000


def linear_kernel(X: Array) -> NDArray[np.float64]:
    """Inner products of the rows of `X`, (n_images, n_images)."""
    return np.asarray(X @ X.T, dtype=np.float64)


def out_of_fold_predictions(
    kernels: Sequence[NDArray[np.float64]],
    Y: Array,
    alphas: Sequence[float],
    splits: Iterable[tuple[Rows, Rows]],
    inner_folds: KFold,
) -> Array:
    """Predict every image from the images of the other folds.

    Parameters
    ----------
    kernels : sequence of array of shape (n_images, n_images)
        One linear kernel per source. Each is centred and scaled to trace n on the training
        images of a fold, and they are added up: sources count alike, however many voxels they
        have.
    alphas : sequence of float
        Penalties, in units of the mean eigenvalue of the summed kernel.
    splits : iterable of (training rows, held-out rows)
        Every image is held out once.
    inner_folds : KFold
        Folds within the training images that choose a penalty per target by correlation:
        squared error would shun strong penalties, which suppress the sources' noise and, for a
        correlation, cost nothing.

    Returns
    -------
    array of shape (n_images, n_targets)
        Predictions minus the mean response of the fold's training images.
    """
    grid = np.asarray(alphas, dtype=np.float64)
    predictions = np.empty(Y.shape, dtype=np.float32)
    for train, held in splits:
        summed = sum(
            (kernel / _centred_trace(kernel, train) for kernel in kernels),
            start=np.zeros_like(kernels[0]),
        ) * (len(train) / len(kernels))
        penalty = _choose(summed, Y, grid, train, inner_folds)
        spectrum, left, right = _decompose(summed, train, held)
        for part in batches(Y.shape[1], TARGETS_AT_ONCE):
            y = Y[train, part]
            projected = right @ (y - y.mean(0))
            shrunk = projected / (spectrum[:, None] + penalty[part]).astype(np.float32)
            predictions[held, part] = left @ shrunk
    return predictions


def _choose(
    kernel: NDArray[np.float64], Y: Array, alphas: NDArray[np.float64], train: Rows, folds: KFold
) -> NDArray[np.float64]:
    """Return each target's best penalty."""
    score = np.zeros((len(alphas), Y.shape[1]))
    for fit, held in folds.split(train):
        spectrum, left, right = _decompose(kernel, train[fit], train[held])
        left = left - left.mean(0)  # correlations are about the fold's own mean
        for part in batches(Y.shape[1], TARGETS_AT_ONCE):
            y = Y[train[fit], part]
            projected = right @ (y - y.mean(0))
            truth = Y[train[held], part]
            truth = truth - truth.mean(0)
            for row, alpha in enumerate(alphas):
                guess = (left / (spectrum + alpha).astype(np.float32)) @ projected
                length = np.sqrt((guess**2).sum(0) * (truth**2).sum(0))
                overlap = (guess * truth).sum(0)
                score[row, part] += np.divide(
                    overlap, length, out=np.zeros_like(length), where=length > 0
                )
    return np.asarray(alphas[score.argmax(0)])


def _decompose(
    kernel: NDArray[np.float64], fit: Rows, held: Rows
) -> tuple[NDArray[np.float64], Array, Array]:
    """Return (spectrum, left, right): predictions are left / (spectrum + alpha) @ right @ y.

    The decomposition is in float64: one strong component, as a global signal
    makes, would drown the small ones in float32.
    """
    inside, outside = kernel[np.ix_(fit, fit)], kernel[np.ix_(held, fit)]
    column = inside.mean(0)
    centred = inside - column - column[:, None] + column.mean()
    across = outside - outside.mean(1, keepdims=True) - column + column.mean()
    spectrum, vectors = eigh_of_array(centred, driver="evd")
    return (
        np.maximum(spectrum, 0.0),
        (across @ vectors).astype(np.float32),
        np.ascontiguousarray(vectors.T, dtype=np.float32),
    )


def _centred_trace(kernel: NDArray[np.float64], rows: Rows) -> float:
    inside = kernel[np.ix_(rows, rows)]
    return float(np.trace(inside) - inside.mean() * len(rows))
