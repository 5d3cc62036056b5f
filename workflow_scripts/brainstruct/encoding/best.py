"""The best of several scores, the same everywhere."""

from __future__ import annotations

import numpy as np
import xarray as xr


def best_of(scores: xr.DataArray, dim: str) -> xr.DataArray:
    """Return the position of the best score.

    Parameters
    ----------
    scores : xarray.DataArray
        Cross-validation scores, larger is better.
    dim : str
        What they are compared along.

    Returns
    -------
    xarray.DataArray
        Position along `dim`, by all other dims. Of several that are as good it
        is the first. NaN loses to any score.
    """
    best: xr.DataArray = scores.fillna(-np.inf).argmax(dim)
    return best
