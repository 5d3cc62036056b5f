"""Noise ceilings as jobs get them, for tests that make some."""

from __future__ import annotations

import xarray as xr

from brainstruct.brain.ceilings import Threshold, usable_ceiling


def usable(ceiling: xr.DataArray, threshold: Threshold = 0.05) -> xr.DataArray:
    """The ceiling where scores can be divided by it."""
    return usable_ceiling(xr.Dataset({"ceiling_ncsnr": ceiling}), "ncsnr", threshold)
