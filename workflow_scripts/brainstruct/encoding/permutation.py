"""Permutation test of the correlation between prediction and measurement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 256
"""Voxels worked on at once: their images stay in a CPU's cache."""


def permutation_p(
    truth: NDArray[np.float32],
    prediction: NDArray[np.float32],
    *,
    n_permutations: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """One-sided p-values of Pearson's r under permutations of the images.

    The same permutations are used for all voxels, so that correlations between
    voxels are kept. p = (1 + number of permuted r >= r) / (1 + n_permutations),
    which is never 0 (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585).

    Parameters
    ----------
    truth, prediction : array of shape (n_images, n_voxels)
        Measured and predicted responses to held-out images.
    n_permutations : int
        Random permutations; the smallest p is 1 / (1 + n_permutations).
    seed : int
        Seed of the permutations.

    Returns
    -------
    array of shape (n_voxels,)
        NaN where the measurement is constant; 1 where only the prediction is.

    Raises
    ------
    ValueError
        If shapes disagree or there are no permutations.

    Notes
    -----
    Memory beyond the arguments: one permuted block of `BLOCK` voxels, and
    n_permutations x n_images indices.
    """
    if truth.shape != prediction.shape or truth.ndim != 2:
        raise ValueError(
            f"shapes {truth.shape} and {prediction.shape} are not one (images, voxels)"
        )
    if n_permutations < 1:
        raise ValueError(f"n_permutations must be at least 1, not {n_permutations}")
    n_images, n_voxels = truth.shape
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(n_images) for _ in range(n_permutations)]
    p = np.empty(n_voxels)
    for start in range(0, n_voxels, BLOCK):
        voxels = slice(start, start + BLOCK)
        a, b = _standardised(truth[:, voxels]), _standardised(prediction[:, voxels])
        r = _correlate(a, b)
        reached = np.zeros(r.shape, dtype=np.int64)
        shuffled = np.empty_like(b)
        for order in orders:
            np.take(b, order, axis=0, out=shuffled, mode="clip")
            reached += _correlate(a, shuffled) >= r
        p[voxels] = (1 + reached) / (1 + n_permutations)
        p[voxels][np.ptp(truth[:, voxels], axis=0) == 0] = np.nan
    return p


def _standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Columns of mean 0 and length 1, constant ones 0; each row contiguous."""
    centred = values - values.mean(0, dtype=np.float64)
    length = np.sqrt((centred**2).sum(0))
    length[np.ptp(values, axis=0) == 0] = np.inf
    return np.ascontiguousarray(centred / length, dtype=np.float32)


def _correlate(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    product: NDArray[np.float32] = np.einsum("iv,iv->v", a, b)
    return product
