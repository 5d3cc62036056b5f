"""Columns of features, responses and predictions: finite, centred, constant or not."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

ROUNDING = 1e-12
"""What float64 sums leave of a constant column; one that varies in float32 has more."""

FEATURE_ROUNDING = 1e-6
"""What float32 sums, as a mean over tokens, leave of a constant feature."""


COLUMNS = 512
"""Columns that are held in float64 at once."""


def centre(
    values: NDArray[Any], rounding: float = ROUNDING
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre columns of (n_images, n_columns) in float64.

    A column is constant if its standard deviation is no more than the share `rounding` of its mean.
    Returns the values less their column's mean, and their sum of squares (n_columns,): 0 where the
    column is constant, and only there.
    """
    mean = values.mean(0, dtype=np.float64)
    centred = values - mean
    squares = (centred**2).sum(0)
    deviation = np.sqrt(squares / len(values))
    squares[deviation <= rounding * np.maximum(np.abs(mean), 1e-30)] = 0
    return centred, squares


def zscore(values: NDArray[Any], rounding: float = ROUNDING) -> tuple[Array, NDArray[np.bool_]]:
    """Scale columns to mean 0 and standard deviation 1, with n below, in float32.

    Returns them, constant ones 0, and which are constant (see `centre`).
    """
    centred, squares = centre(values, rounding)
    constant = squares == 0
    deviation = np.sqrt(squares / len(values))
    return (centred / np.where(constant, np.inf, deviation)).astype(np.float32), constant


def standardise(train: Array, test: Array) -> tuple[Array, Array]:
    """Scale features to mean 0 and standard deviation 1 on the training images.

    Features are (n_images, n_features), returned as float32. One that is constant on the training
    images becomes 0 in both: it cannot have been learnt from.
    """
    found = np.empty(train.shape, np.float32), np.empty(test.shape, np.float32)
    for part in batches(train.shape[1], COLUMNS):
        centred, squares = centre(train[:, part], FEATURE_ROUNDING)
        deviation = np.sqrt(squares / len(train))
        scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=squares > 0)
        mean = train[:, part].mean(0, dtype=np.float64)
        found[0][:, part], found[1][:, part] = centred * scale, (test[:, part] - mean) * scale
    return found


def weighted_mean(values: NDArray[Any], weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the means of columns of (n_images, n_columns), of weights (n_images,), in float64."""
    total: NDArray[np.float64] = np.einsum("i,ij->j", weights, values, dtype=np.float64)
    return np.asarray(total / weights.sum())


def batches(size: int, at_once: int) -> Iterator[slice]:
    """Cut 0 .. size into slices of at most so many."""
    for start in range(0, size, at_once):
        yield slice(start, min(start + at_once, size))


def require_finite(**arrays: NDArray[Any]) -> None:
    """Check that arrays hold numbers only.

    A `ValueError` if a value is NaN or infinite; it names the array, with a space for ``_``, and
    says how many are.
    """
    for name, values in arrays.items():
        finite = np.isfinite(values)
        if not finite.all():
            count = finite.size - np.count_nonzero(finite)
            raise ValueError(f"{name.replace('_', ' ')} hold {count} non-finite values")
