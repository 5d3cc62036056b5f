"""Regions of interest as sets of voxels, and means over them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from brainstruct.brain.labels import family_names

WHOLE = "all"
"""Label that stands for all labels of a family together."""


@dataclass(frozen=True)
class Region:
    """A family of labels, or one label of it.

    `family` is an ROI volume (``floc-faces``), or the mask's name for all voxels; `label` one label
    (``FFA-1``), or `WHOLE`; `voxels` (n_voxels,) nowhere true if the subject lacks the region.
    """

    family: str
    label: str
    voxels: NDArray[np.bool_]


def regions(space: xr.Dataset, mask_name: str) -> Iterator[Region]:
    """Iterate over the mask, each family's union, and each label alone.

    `space` has ``roi_label`` with dims roi, voxel, and the attribute ``roi_labels`` (see
    `brainstruct.brain.labels`); all voxels together appear under the mask's name.
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


def ratio_weights(regions: Sequence[Region], ceiling: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return what turns correlations into regional alignments, (n_voxels, n_regions).

    The alignment of a region is the sum of r over the sum of noise ceilings, (n_voxels,) with NaN
    where a voxel is left out. A mean of ratios would be ruled by voxels whose ceilings are low, and
    hardly known.
    """
    known = np.nan_to_num(ceiling)
    inside = np.stack([region.voxels for region in regions], axis=1) & (known > 0)[:, None]
    total = known @ inside
    return np.asarray(inside / np.where(total > 0, total, 1), np.float32)


def label_draws(draws: xr.DataArray, regions: Sequence[Region]) -> xr.DataArray:
    """Say of which family and label each region of bootstrapped scores is.

    They become float32, with their last dims region and the one of draws, whose name ends so, and
    both counted.
    """
    last = next(str(dim) for dim in draws.dims if str(dim).endswith("draw"))
    names = {name: [getattr(one, name) for one in regions] for name in ("family", "label")}
    named = draws.assign_coords({name: ("region", values) for name, values in names.items()})
    named = named.assign_coords({dim: np.arange(draws.sizes[dim]) for dim in ("region", last)})
    return named.astype(np.float32).transpose(..., "region", last)


def share(hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    """Share of hits among some voxels; NaN if there are none."""
    return float(hit[among].mean()) if among.any() else float("nan")


def roi_table(
    r: xr.DataArray, ceiling: xr.DataArray, space: xr.Dataset, mask_name: str
) -> pd.DataFrame:
    """Tabulate mean scores per region.

    Correlations have the dim voxel and any others (instruction, layer), which become columns; noise
    ceilings are correlations, too, NaN where scores cannot be divided by them. One row per region
    and label of the other dims. Voxels without a ceiling, or without r, are excluded from all
    columns: ``r`` is the mean, ``alignment`` the ratio of sums (see `ratio_weights`), and
    ``voxel_alignment`` the mean of ratios.
    """
    divisor = ceiling.where(r.notnull())
    parts = []
    for region in regions(space, mask_name):
        inside = np.flatnonzero(region.voxels)
        known, own = divisor.isel(voxel=inside), r.isel(voxel=inside)
        excluded = (~known.notnull()).sum("voxel")
        mean = own.where(known.notnull()).mean("voxel")
        part = xr.Dataset(
            {
                "n_voxels": xr.full_like(excluded, inside.size),
                "n_excluded": excluded,
                "r": mean,
                "alignment": mean / known.mean("voxel"),
                "voxel_alignment": (own / known).mean("voxel"),
            }
        )
        dims = [str(dim) for dim in part.dims]
        table = part.expand_dims("row").to_dataframe().reset_index()
        table = table.assign(family=region.family, label=region.label)
        parts.append(table[["family", "label", *dims, *part.data_vars]])
    return pd.concat(parts, ignore_index=True)
