"""Regions of interest as sets of voxels, and means over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.brain.labels import family_names

WHOLE = "all"
"""Label that stands for all labels of a family together."""


@dataclass(frozen=True)
class Region:
    """A region: a family of labels, or one label of it.

    Attributes
    ----------
    family : str
        ROI volume (``floc-faces``), or the mask's name for all voxels.
    label : str
        One label (``FFA-1``), or `WHOLE`.
    voxels : array of bool, shape (n_voxels,)
        Membership; nowhere true if the subject lacks the region.
    """

    family: str
    label: str
    voxels: np.ndarray[Any, np.dtype[np.bool_]]


def regions(space: xr.Dataset, mask_name: str) -> Iterator[Region]:
    """Iterate over the mask, each family's union, and each label alone.

    Parameters
    ----------
    space : xarray.Dataset
        ``roi_label`` with dims roi, voxel, and the attribute ``roi_labels``.
    mask_name : str
        Name under which all voxels together appear.
    """
    names = family_names(space)
    labels = space["roi_label"]
    yield Region(mask_name, WHOLE, np.ones(space.sizes["voxel"], dtype=bool))
    for family in labels["roi"].values:
        numbers = labels.sel(roi=family).values
        known = names[str(family)]
        yield Region(str(family), WHOLE, np.isin(numbers, list(known)))
        for number, name in sorted(known.items()):
            yield Region(str(family), name, numbers == number)


def mean_over(values: xr.DataArray, region: Region) -> xr.DataArray:
    """Mean over a region's voxels, NaN voxels left out; NaN for an absent region."""
    inside = values.isel(voxel=np.flatnonzero(region.voxels))
    return inside.mean("voxel", skipna=True)


def roi_table(
    r: xr.DataArray, alignment: xr.DataArray, space: xr.Dataset, mask_name: str
) -> pd.DataFrame:
    """Tabulate mean scores per region.

    Parameters
    ----------
    r, alignment : xarray.DataArray
        Raw and normalised scores with dims voxel and any others (instruction,
        layer), which become columns.
    space : xarray.Dataset
        Voxels and their labels, see `regions`.
    mask_name : str
        Name under which all voxels together appear.

    Returns
    -------
    pandas.DataFrame
        Columns family, label, the other dims, n_voxels, n_excluded (ceiling
        below threshold), r (over the voxels that are not excluded), alignment.
    """
    parts = []
    for region in regions(space, mask_name):
        used = alignment.isel(voxel=np.flatnonzero(region.voxels))
        counted = used.notnull()
        part = xr.Dataset(
            {
                "n_voxels": xr.full_like(counted.sum("voxel"), int(region.voxels.sum())),
                "n_excluded": (~counted).sum("voxel"),
                "r": mean_over(r.where(alignment.notnull()), region),
                "alignment": mean_over(alignment, region),
            }
        )
        dims = [str(dim) for dim in part.dims]
        table = (
            part.to_dataframe().reset_index() if dims else part.expand_dims("row").to_dataframe()
        )
        table = table[[*dims, "n_voxels", "n_excluded", "r", "alignment"]]
        table.insert(0, "label", region.label)
        table.insert(0, "family", region.family)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
