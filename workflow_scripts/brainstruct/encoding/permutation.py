"""Permutation test of the correlation between prediction and measurement.

Permutations are taken in families whose scores one Fourier transform gives
together: put the images in a random order and shift it cyclically, and the
correlations under all n shifts are a circular cross-correlation.

The test is exact. The first family contains the order in which the images were
measured, and the set of all permutations used is distributed alike seen from
any of its members (cosets of a group by random elements), which is what a
permutation test needs (Hemerik and Goeman 2018, doi:10.1007/s11749-017-0571-1).

A share of permutations cannot be smaller than one of them, too coarse for thousands of voxels.
Where next to none reaches what was observed, p is read off a generalised Pareto distribution fitted
to the largest permuted scores, as by Knijnenburg et al. (2009, doi:10.1093/bioinformatics/btp211)
and Winkler et al. (2016, doi:10.1016/j.neuroimage.2016.05.068).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from brainstruct.encoding.columns import Array, batches, centre
from brainstruct.encoding.scores import require_same_shape

BLOCK = 1024
"""Voxels transformed at once."""

ROUNDING = 2e-6
"""Correlations this far apart are equal: single precision transforms."""

TAIL = 0.25
"""Share of the permutations, those with the largest r, that a tail is fitted to."""

FEWEST_FOR_TAIL = 500
"""Permutations under which no tail is fitted: a hundred values say little of its shape."""

COUNTED = 10
"""If fewer permutations than this reach what was observed, their number is no measure of p."""

FLOOR = 1e-7
"""The smallest p that is read off a tail; beyond it the shape is a guess."""


class Chance(NamedTuple):
    """How rarely permuted images are predicted as well, two float32 arrays (n_voxels,).

    `p` is of each voxel by itself. `p_fwe` is the share of the permutations in which any voxel does
    as well, which controls the family-wise error over all voxels (largest statistic, Nichols and
    Holmes 2002, doi:10.1002/hbm.1058); it cannot be smaller than 1 / n_permutations.
    """

    p: Array
    p_fwe: Array


class PermutationTest:
    """One-sided tests of Pearson's r under permutations of the images.

    Prepared once per set of measured responses to held-out images, `truth` (n_images, n_voxels);
    every feature space is then tested with the same permutations. All voxels have the same
    permutations too, so that correlations between voxels are kept.

    `n_permutations`, the identity included, is rounded to a multiple of n_images, at least
    n_images. Measured images stay in the first of the `orders`, shifted by 0 to n_images - 1;
    predictions are put into each. A `ValueError` if there are no images, voxels or permutations.
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

    @property
    def floor(self) -> float:
        """The smallest p that a voxel can have."""
        return smallest_p(self.n_permutations)

    def p(self, prediction: Array) -> Array:
        """Return `Chance.p` of a prediction, see `test`."""
        return self.test(prediction).p

    def test(self, prediction: Array) -> Chance:
        """Test a prediction (n_images, n_voxels).

        p is a share of the permutations, the identity included, or where fewer than `COUNTED` of
        them reach r, read off the tail of all others, if they are enough. NaN where the measurement
        is constant or anything is not finite, 1 where only the prediction is constant. A
        `ValueError` if the shape is not that of the truth.
        """
        require_same_shape(self._shape, prediction.shape)
        n_images, n_voxels = self._shape
        observed = np.zeros(n_voxels, dtype=np.float32)
        p = np.zeros(n_voxels, dtype=np.float64)
        largest = np.full(self.n_permutations, -np.inf, dtype=np.float32)
        for block, spectrum in zip(batches(n_voxels, BLOCK), self._spectra, strict=True):
            columns, _ = _standardised(prediction[:, block])
            # The first order, not shifted, is the identity.
            r = np.empty((len(columns), self.n_permutations), dtype=np.float32)
            for number, order in enumerate(self.orders):
                spectra = spectrum * fft.rfft(columns[:, order], axis=1)
                shifts = slice(number * n_images, (number + 1) * n_images)
                r[:, shifts] = fft.irfft(spectra, n=n_images, axis=1)
            observed[block] = r[:, 0]
            np.fmax(largest, np.fmax.reduce(r, axis=0), out=largest)
            reached = (r >= r[:, :1] - ROUNDING).sum(1)
            share = reached / self.n_permutations
            rare = np.flatnonzero((reached > 0) & (reached < COUNTED))
            if rare.size and self.n_permutations >= FEWEST_FOR_TAIL:
                share[rare] = _tail_p(r[rare], share[rare])
            p[block] = share
        # The identity reaches itself, unless there is nothing to compare.
        nothing = self._constant | (p == 0)
        below = np.searchsorted(np.sort(largest), observed - ROUNDING)
        p_fwe = 1 - below / self.n_permutations
        p[nothing] = p_fwe[nothing] = np.nan
        return Chance(p.astype(np.float32), p_fwe.astype(np.float32))


def smallest_p(n_permutations: int) -> float:
    """Return the smallest p that a test of so many permutations can give a voxel."""
    return FLOOR if n_permutations >= FEWEST_FOR_TAIL else 1 / n_permutations


def _tail_p(r: Array, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p of the first of the scores in every row, (n_voxels, n_permutations).

    Under independence -log(1 - r^2) has nearly an exponential tail, for any number of images, while
    r itself is bounded: a tail fitted to r ends too early. A generalised Pareto distribution is
    fitted to its excess over the quantile by the method of moments, and its shape kept from below
    0, so that no score is impossible; heavy tails of the measurements make it larger. What is
    not beyond the quantile keeps its share.
    """
    kept = int(TAIL * (r.shape[1] - 1))
    largest = np.partition(r[:, 1:], r.shape[1] - 2 - kept, axis=1)[:, -kept - 1 :]
    value, observed = _scale(largest), _scale(r[:, 0])
    excess = value[:, 1:] - value[:, :1]
    mean, variance = excess.mean(1), excess.var(1, ddof=1)
    ratio = np.divide(mean**2, variance, out=np.ones_like(mean), where=variance > 0)
    shape = np.maximum((1 - ratio) / 2, 0)
    far = np.divide(observed - value[:, 0], mean, out=np.zeros_like(mean), where=mean > 0)
    # The scale is mean * (1 - shape): the mean is that of the excess whatever the shape.
    power = np.where(
        shape > 0,
        -np.log1p(shape * far / (1 - shape)) / np.where(shape > 0, shape, 1),
        -far,
    )
    found = np.maximum(kept / (r.shape[1] - 1) * np.exp(power), FLOOR)
    return np.where(far > 0, found, share)


def _scale(r: Array) -> NDArray[np.float64]:
    """Return -log(1 - r^2), 0 for negative correlations."""
    squared = np.clip(r, 0, 1 - 1e-7).astype(np.float64) ** 2
    return np.asarray(-np.log1p(-squared))


def _standardised(values: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return one row per voxel, of mean 0 and length 1, constant ones 0; and which those are."""
    centred, squares = centre(values)
    constant = squares == 0
    length = np.where(constant, np.inf, np.sqrt(squares))
    return np.ascontiguousarray((centred / length).T, dtype=np.float32), constant
