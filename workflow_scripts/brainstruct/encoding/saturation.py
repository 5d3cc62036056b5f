"""How far prediction goes with ever more subjects: saturating curves.

Two shapes. ``spearman_brown``: v(x) = v0 sqrt(x / (x + tau)), the correlation with
a mean of x equally noisy views of one signal (the prophecy formula of Spearman
and Brown, 1910; tau is the noise-to-signal ratio of a single view).
``exponential``: v(x) = v0 (1 - exp(-x / tau)), as Schrimpf et al. (2021, PNAS
118 e2105646118) have it; it levels off faster than averaging does, so that
its asymptote is low.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

Curve = Literal["spearman_brown", "exponential"]

TAU_RANGE = (0.05, 50.0)
"""Bounds of tau, in subjects.

Below the first, one subject already says everything. At the second, the curve
is a straight line over any number of subjects that exist, and its asymptote
a guess: such a fit has not converged."""

GRID = 80
REFINEMENTS = 40


@dataclass(frozen=True)
class Saturation:
    """Fits of saturating curves, one per row of values.

    `v0` (n_curves,) is the asymptote, NaN where the fit failed. The others say why it failed: no
    sign of saturation (tau at its upper bound), an asymptote of zero or below, or one above 1,
    which no correlation has.
    """

    v0: Floats
    not_converged: NDArray[np.bool_]
    not_positive: NDArray[np.bool_]
    beyond_one: NDArray[np.bool_]


def fit_saturation(
    sizes: ArrayLike, values: ArrayLike, curve: Curve = "spearman_brown"
) -> Saturation:
    """Fit a saturating curve to many rows of values at once, by least squares.

    Given tau, the best v0 is linear least squares; what is left is a search over tau alone, on a
    logarithmic grid and then by golden section, for all curves together. Nothing depends on a
    starting point.

    `sizes` (n_sizes,) are numbers of subjects predicted from, `values` (n_curves, n_sizes) the mean
    correlation at each. A curve that is flat or falls has its tau at the lower bound and the mean
    as its v0: saturated from the start, and no failure.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, which determine no curve.
    """
    x = np.asarray(sizes, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    if np.unique(x).size < 2:
        raise ValueError(f"two sizes or more are needed for an extrapolation, got {x.tolist()}")
    low, high = np.log(TAU_RANGE)
    grid = np.linspace(low, high, GRID)
    gain = np.stack([_gain(y, _basis(curve, x, np.full(len(y), point))) for point in grid], axis=1)
    best = gain.argmax(1)
    left, right = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, GRID - 1)]
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(REFINEMENTS):
        inner, outer = right - ratio * (right - left), left + ratio * (right - left)
        keep_left = _gain(y, _basis(curve, x, inner)) >= _gain(y, _basis(curve, x, outer))
        right = np.where(keep_left, outer, right)
        left = np.where(keep_left, left, inner)
    log_tau = (left + right) / 2
    basis = _basis(curve, x, log_tau)
    v0 = (y * basis).sum(1) / (basis**2).sum(1)
    undefined = ~np.isfinite(v0)
    not_positive = v0 <= 0
    not_converged = undefined | (~not_positive & (log_tau >= high - 1e-3))
    beyond_one = ~not_converged & (v0 > 1)
    failed = not_converged | not_positive | beyond_one
    return Saturation(np.where(failed, np.nan, v0), not_converged, not_positive, beyond_one)


def _basis(curve: Curve, x: Floats, log_tau: Floats) -> Floats:
    tau = np.exp(log_tau)[:, None]
    if curve == "exponential":
        return np.asarray(-np.expm1(-x[None] / tau))
    return np.asarray(np.sqrt(x[None] / (x[None] + tau)))


def _gain(y: Floats, basis: Floats) -> Floats:
    """Sum of squares that the best v0 explains."""
    return np.asarray((y * basis).sum(1) ** 2 / (basis**2).sum(1))
