"""False discovery rate, and what a handful of subjects can and cannot show."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.05
"""False discovery rate at which anything counts as significant."""

VOXELWISE_WILCOXON = (
    "wilcoxon_voxels_p treats voxels as independent; neighbouring voxels share noise and "
    "signal, so it is far too small. It is given because earlier work reports it: "
    "judge by p and q, which resample images."
)
"""Why the published test is only an extra column."""


def benjamini_hochberg(p: ArrayLike, axis: int | None = None) -> NDArray[np.float64]:
    """Adjust p-values for the false discovery rate (Benjamini & Hochberg 1995).

    p-values are one family of tests along `axis`, by default all of them. Returns q-values: reject
    where q <= 0.05 and 5 % of the rejections in a family are expected to be false. NaN where `p`
    is, as where there was no test.
    """
    whole = np.asarray(p, dtype=np.float64)
    if axis is not None:
        return np.apply_along_axis(benjamini_hochberg, axis, whole)
    values = whole.ravel()
    adjusted = np.full(values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(-values[tested])]
    scaled = values[order] * (order.size / np.arange(order.size, 0, -1))
    adjusted[order] = np.minimum.accumulate(scaled)
    return adjusted.reshape(whole.shape)


def wilcoxon_floor(n: int) -> float:
    """Return the smallest p of a two-sided exact Wilcoxon signed-rank test of n values.

    With all n differences of one sign, one of the 2^n sign patterns is as
    extreme on either side: p = 2 / 2^n, 0.125 for 4 values.
    """
    return min(1.0, 2.0 / 2.0**n)


def wilcoxon_p(differences: ArrayLike) -> float:
    """Two-sided Wilcoxon signed-rank test of differences (n,) against zero.

    NaN are left out. 1 if all differences are zero, NaN without any. Exact up to 50
    values without ties.
    """
    values = np.asarray(differences, dtype=np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return float("nan")
    if not values.any():
        return 1.0
    from scipy.stats import wilcoxon  # only now: it takes longer than many a job

    return float(wilcoxon(values).pvalue)


def subjects_note(n_subjects: int) -> str:
    """Say what a test over so many subjects cannot show."""
    floor = wilcoxon_floor(n_subjects)
    verdict = (
        "no difference between subjects can reach 0.05" if floor > LEVEL else "0.05 can be reached"
    )
    return (
        f"{n_subjects} subject(s): a two-sided exact Wilcoxon test over subjects cannot go below "
        f"p = {floor:.3g}, so {verdict}; p and q resample images and generalise to other images "
        f"seen by these subjects, not to other subjects."
    )
