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
    """Say which voxels have a noise ceiling, a correlation, that scores can be divided by.

    It reaches the least one of a voxel that is analysed, and is above 0: a threshold of 0
    would else let a ceiling of 0 divide. NaN, where there is none, does neither.
    """
    return (ceiling >= threshold) & (ceiling > 0)
