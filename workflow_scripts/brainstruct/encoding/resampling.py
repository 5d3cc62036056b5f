"""Bootstrap of images: correlations under many weightings, as matrix products."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from brainstruct.encoding.columns import Array, zscore

N_DRAWS = 50
"""Draws that fits keep of every layer: a standard error to a tenth, and 2 bytes a voxel each."""


def image_weights(stimuli: ArrayLike, n_draws: int, seed: int) -> Array:
    """Draw how often each image enters each bootstrap sample, (n_draws, n_images).

    Counts are Poisson(1), the Poisson bootstrap: given its total, a draw is the multinomial draw of
    the ordinary bootstrap, and correlations do not depend on the total. Because every image has its
    own stream of random numbers, an image weighs the same in every subject and model that saw it,
    whatever other images those saw: all comparisons of a study are paired.
    """
    columns = [
        np.random.default_rng([seed, int(stimulus)]).poisson(1.0, n_draws)
        for stimulus in np.asarray(stimuli)
    ]
    return np.stack(columns, axis=1).astype(np.float32)


class Resampler:
    """Pearson correlations with one set of responses under every weighting.

    `truth` is (n_images, n_voxels), `weights` (n_draws, n_images), see `image_weights`. With
    columns scaled to mean 0 and variance 1 beforehand, the weighted moments are sums of order 1,
    and float32 is good to 1e-6 in r.
    """

    def __init__(self, truth: Array, weights: Array) -> None:
        self._weights = weights / weights.sum(1, keepdims=True)
        self._truth, self._constant = zscore(truth)
        self._mean = self._weights @ self._truth
        self._variance = self._weights @ self._truth**2 - self._mean**2

    def correlate(self, prediction: Array) -> Array:
        """Correlate a prediction (n_images, n_voxels) with the responses.

        Returns float32 (n_draws, n_voxels), as `brainstruct.encoding.scores.pearson`: NaN where the
        response is constant, 0 where only the prediction is.
        """
        scaled, _ = zscore(prediction)
        mean = self._weights @ scaled
        variance = self._weights @ scaled**2 - mean**2
        covariance = self._weights @ (self._truth * scaled) - self._mean * mean
        # A draw of very few distinct images can leave a variance of nothing but rounding.
        product = np.maximum(self._variance, 0) * np.maximum(variance, 0)
        r = np.divide(
            covariance, np.sqrt(product), out=np.zeros_like(covariance), where=product > 1e-10
        )
        r[:, self._constant] = np.nan
        return np.asarray(np.clip(r, -1, 1))


@dataclass(frozen=True)
class Difference:
    """Statistics of differences: arrays of shape (n,).

    The difference on all images, its standard deviation over bootstrap samples, and
    their percentile interval. p is two-sided, from difference / se and the normal
    distribution: a share of draws could not go below 1 / n_draws, too coarse for FDR
    over thousands of voxels. 1 where both are identical.
    """

    difference: NDArray[np.float64]
    se: NDArray[np.float64]
    ci_low: NDArray[np.float64]
    ci_high: NDArray[np.float64]
    p: NDArray[np.float64]


def difference_statistics(
    difference: NDArray[np.floating], draws: NDArray[np.floating], confidence: float
) -> Difference:
    """Summarise differences (n,) and their bootstrap distribution, `draws` (n_draws, n)."""
    observed = np.asarray(difference, dtype=np.float64)
    se = draws.std(0, ddof=1, dtype=np.float64)
    tail = (1 - confidence) / 2
    # Scores are finite or NaN in every draw, so a plain quantile keeps NaN as NaN.
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    z = np.divide(observed, se, out=np.zeros_like(observed), where=se > 0)
    p = 2 * ndtr(-np.abs(z))
    p[np.isnan(observed)] = np.nan
    return Difference(observed, se, low.astype(np.float64), high.astype(np.float64), p)
