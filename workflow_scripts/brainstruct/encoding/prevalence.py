"""In how many people an effect would be found: prevalence, from tests within each of a few.

A mean over four people says nothing of a fifth: their number is no sample size of images. Who shows
the effect by their own data can be counted, and the count says in which share of the population it
is to be expected (Ince, Paton, Kay & Schyns 2021, doi:10.7554/eLife.62461).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.core.groupby import DataFrameGroupBy

_STEPS = 10_000


def prevalence(
    n_found: int, n_subjects: int, *, level: float, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Estimate the share of the population whose own test would find an effect.

    A test finds it where there is none in a share of `level`, so found is a binomial count of
    probability level + (1 - level) x prevalence (a power of 1: it is the prevalence of effects that
    this experiment can show). The prior is uniform.

    Returns
    -------
    best, low, high : float
        The most probable prevalence, and its interval of highest density. NaN without subjects.
    """
    if not n_subjects:
        return (float("nan"),) * 3
    from scipy.stats import beta  # only now: it takes longer than many a job

    posterior = beta(n_found + 1, n_subjects - n_found + 1)
    share = np.linspace(0, 1, _STEPS + 1)
    density = posterior.pdf(level + (1 - level) * share)
    order = np.argsort(-density, kind="stable")
    mass = np.cumsum(density[order]) / density.sum()
    inside: NDArray[np.float64] = share[order[: int(np.searchsorted(mass, confidence)) + 1]]
    best = max((n_found / n_subjects - level) / (1 - level), 0.0)
    return best, float(inside.min()), float(inside.max())


def without_one(values: pd.DataFrame | DataFrameGroupBy) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the smallest and the largest mean over all subjects but one.

    Rows are subjects; NaN is left out, and so is the answer with fewer than two.
    """
    others = values.count() - 1
    return (values.sum() - values.max()) / others, (values.sum() - values.min()) / others
