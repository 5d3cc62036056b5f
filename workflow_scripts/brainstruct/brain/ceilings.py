"""Which voxels a noise ceiling lets scores be divided by."""

from typing import Literal

import xarray as xr

Threshold = float | Literal["auto"]
"""The least ceiling of a voxel that counts; ``auto``: what is stored beside the ceilings."""


def usable_ceilings(space: xr.Dataset, threshold: Threshold) -> dict[str, xr.DataArray]:
    """Return what scores can be divided by, see `usable_ceiling`, by kind of ceiling."""
    kinds = [str(name).removeprefix("ceiling_") for name in space if "ceiling_" in str(name)]
    return {kind: usable_ceiling(space, kind, threshold) for kind in kinds}


def usable_ceiling(space: xr.Dataset, kind: str, threshold: Threshold) -> xr.DataArray:
    """Return a noise ceiling where scores can be divided by it.

    `space` has ``ceiling_{kind}`` (voxel), best possible correlations; and, for ``auto``,
    ``threshold_{kind}``, one for all voxels or one each: what 95 % of voxels without signal stay
    below. The result (voxel) is NaN in voxels whose ceiling is unknown, 0 or under the threshold:
    they are left out of all that is normalised. Its attribute ``threshold`` says which one: a
    number, or words where every voxel has its own.
    """
    ceiling = space[f"ceiling_{kind}"]
    least = space[f"threshold_{kind}"] if threshold == "auto" else xr.DataArray(threshold)
    words = least.attrs.get("long_name", "") if least.ndim else float(least)
    # A threshold of 0 would else let a ceiling of 0 divide.
    return ceiling.where((ceiling >= least) & (ceiling > 0)).assign_attrs(threshold=words)
