"""Permutation test of the correlation between prediction and measurement.

Permutations are taken in families whose scores one Fourier transform gives
together: put the images in a random order and shift it cyclically, and the
correlations under all n shifts are a circular cross-correlation.

The test is exact. The first family contains the order in which the images were
measured, and the set of all permutations used is distributed alike seen from
any of its members (cosets of a group by random elements), which is what a
permutation test needs (Hemerik and Goeman 2018, doi:10.1007/s11749-017-0571-1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from brainstruct.encoding.columns import Array, batches, centre
from brainstruct.encoding.scores import require_same_shape

BLOCK = 1024
"""Voxels transformed at once."""

ROUNDING = 2e-6
"""Correlations this far apart are equal: single precision transforms."""


class PermutationTest:
    """One-sided tests of Pearson's r under permutations of the images.

    Prepared once per set of measured responses to held-out images, `truth` (n_images, n_voxels);
    every feature space is then tested with the same permutations. All voxels have the same
    permutations too, so that correlations between voxels are kept.

    `n_permutations`, the identity included, is rounded to a multiple of n_images, at least
    n_images; the smallest p is the inverse of what it is then. Measured images stay in the first of
    the `orders`, shifted by 0 to n_images - 1; predictions are put into each.

    Raises
    ------
    ValueError
        If there are no images, voxels or permutations.
    """

    def __init__(self, truth: Array, *, n_permutations: int = 1000, seed: int = 0) -> None:
        if truth.ndim != 2 or not truth.size:
            raise ValueError(f"shape {truth.shape} is no (images, voxels)")
        if n_permutations < 1:
            raise ValueError(f"n_permutations must be at least 1, not {n_permutations}")
        self._shape = truth.shape
        generator = np.random.default_rng(seed)
        count = max(round(n_permutations / len(truth)), 1)
        self.orders = [generator.permutation(len(truth)) for _ in range(count)]
        self.n_permutations = len(truth) * count
        self._constant = np.zeros(truth.shape[1], dtype=bool)
        self._spectra = []
        for block in batches(self._shape[1], BLOCK):
            columns, self._constant[block] = _standardised(truth[:, block])
            self._spectra.append(fft.rfft(columns[:, self.orders[0]], axis=1).conj())

    def p(self, prediction: Array) -> Array:
        """Return how rarely permuted images are predicted as well.

        Returns
        -------
        array of shape (n_voxels,)
            float32: share of the permutations, the identity included, whose r is as large as
            the one observed. NaN where the measurement is constant or anything is not finite, 1
            where only the prediction is constant.

        Raises
        ------
        ValueError
            If the shape is not that of the truth.
        """
        require_same_shape(self._shape, prediction.shape)
        n_images, n_voxels = self._shape
        reached = np.zeros(n_voxels, dtype=np.int64)
        for block, spectrum in zip(batches(self._shape[1], BLOCK), self._spectra, strict=True):
            columns, _ = _standardised(prediction[:, block])
            observed = None
            for order in self.orders:
                shifted = fft.irfft(
                    spectrum * fft.rfft(columns[:, order], axis=1), n=n_images, axis=1
                )
                if observed is None:  # the first order, not shifted, is the identity
                    observed = shifted[:, :1].copy()
                reached[block] += (shifted >= observed - ROUNDING).sum(1)
        p = (reached / self.n_permutations).astype(np.float32)
        # The identity reaches itself, unless there is nothing to compare.
        p[self._constant | (reached == 0)] = np.nan
        return p


def _standardised(values: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return one row per voxel, of mean 0 and length 1, constant ones 0; and which those are."""
    centred, squares = centre(values)
    constant = squares == 0
    length = np.where(constant, np.inf, np.sqrt(squares))
    return np.ascontiguousarray((centred / length).T, dtype=np.float32), constant
