"""Which voxels a noise ceiling lets scores be divided by."""

from __future__ import annotations

from typing import Any, TypeVar

import xarray as xr
from numpy.typing import NDArray

Ceiling = TypeVar("Ceiling", xr.DataArray, NDArray[Any])


def ceilings_by_kind(space: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the noise ceilings of a subject: those named ``ceiling_{kind}``, by kind."""
    named = {str(name): values for name, values in space.data_vars.items()}
    return {
        name.removeprefix("ceiling_"): values
        for name, values in named.items()
        if name.startswith("ceiling_")
    }


def can_be_divided_by(ceiling: Ceiling, threshold: float) -> Ceiling:
    """Say which voxels have a noise ceiling that scores can be divided by.

    Parameters
    ----------
    ceiling : DataArray or array
        Best possible correlations; NaN where there is none.
    threshold : float
        The least ceiling of a voxel that is analysed.

    Returns
    -------
    DataArray or array of bool
        Of the same shape: whether the ceiling reaches the threshold and is
        above 0. A threshold of 0 would else let a ceiling of 0 divide.
    """
    return (ceiling >= threshold) & (ceiling > 0)
