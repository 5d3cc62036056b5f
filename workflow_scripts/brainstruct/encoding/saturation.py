"""How far prediction goes with ever more subjects: saturating curves.

Two shapes, v0 times a number that rises to 1. ``spearman_brown``: sqrt(x / (x + tau)), the
correlation with a mean of x equally noisy views of one signal (the prophecy formula of Spearman
and Brown, 1910; tau is the noise-to-signal ratio of a single view). ``exponential``:
1 - exp(-x / tau), as Schrimpf et al. (2021, PNAS 118 e2105646118) have it; it levels off faster
than averaging does, so that its asymptote is low.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

Curve = Literal["spearman_brown", "exponential"]

TAU_RANGE = (0.05, 50.0)
"""Bounds of tau, in subjects.

Below the first, one subject already says everything. At the second, the curve
is a straight line over any number of subjects that exist, and its asymptote
a guess."""

GRID = 4000


def shape_of(sizes: ArrayLike, tau: float | Floats, curve: Curve = "spearman_brown") -> Floats:
    """Return the share of the asymptote that is reached with each number of subjects."""
    x = np.asarray(sizes, dtype=np.float64)
    if curve == "exponential":
        return np.asarray(-np.expm1(-x / tau))
    return np.asarray(np.sqrt(x / (x + tau)))


def pooled_tau(
    sizes: ArrayLike, values: ArrayLike, curve: Curve = "spearman_brown"
) -> float | None:
    """Fit the tau of one curve by least squares, given the best asymptote for each.

    `sizes` (n_sizes,) are numbers of subjects predicted from, `values` (n_sizes,) the mean
    correlation at each. A curve that is flat or falls has its tau at the lower bound. `None` if it
    does not saturate: tau reaches its upper bound, or values are not positive. A `ValueError` if
    there are fewer than two sizes, which determine no curve.
    """
    x, y = np.asarray(sizes, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if np.unique(x).size < 2:
        raise ValueError(f"two sizes or more are needed for an extrapolation, got {x.tolist()}")
    grid = np.geomspace(*TAU_RANGE, GRID)
    shapes = shape_of(x, grid[:, None], curve)
    best = int(((shapes @ y) ** 2 / (shapes**2).sum(1)).argmax())
    return None if best == GRID - 1 or not y.sum() > 0 else float(grid[best])
