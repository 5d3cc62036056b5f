"""How much of what was planted in a synthetic data set an analysis finds back."""

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.encoding.regions import share

NEIGHBOUR = 1
"""A layer counts as found if it is the planted one or this far from it."""


def match_voxels(truth: xr.Dataset, space: xr.Dataset) -> xr.Dataset:
    """Bring the truth into the order of the analysed voxels, by their coordinates i, j, k.

    A `ValueError` if a voxel of `space` is not in `truth`.
    """
    row_of = {place: row for row, place in enumerate(_places(truth))}
    try:
        rows = [row_of[place] for place in _places(space)]
    except KeyError as error:
        raise ValueError(f"voxel {error} was analysed but never planted") from None
    return truth.isel(voxel=rows).assign_coords(voxel=space["voxel"].values)


def recovery_table(winners: xr.Dataset, truth: xr.Dataset, model: str) -> pd.DataFrame:
    """Tabulate, per region, the share of voxels whose planted feature space won.

    `winners` has ``instruction_index``, ``clear``, ``layer`` (negative: under the ceiling
    threshold), the ends of its interval, ``layer_low`` and ``layer_high``, and the coordinate
    ``instruction``; `truth` has ``planted_model``, ``planted_instruction``, ``planted_layer`` and
    ``region``, voxel for voxel the same; empty strings where nothing was planted. One row for all
    regions and one for each; ``dictionary/columns.toml`` describes the columns.
    """
    keys = winners["instruction"].values
    index = winners["instruction_index"].values
    won = np.where(index >= 0, keys[np.maximum(index, 0)], "")
    planted = truth["planted_model"].values == model
    right = won == truth["planted_instruction"].values
    layer = truth["planted_layer"].values
    distance = np.abs(winners["layer"].values - layer)
    inside_interval = (winners["layer_low"].values <= layer) & (
        layer <= winners["layer_high"].values
    )
    region = truth["region"].values
    rows = []
    for roi in ("all", *pd.unique(region[planted]).tolist()):
        inside = planted & ((region == roi) | (roi == "all"))
        reliable = inside & (index >= 0)
        found = reliable & right
        one = truth.isel(voxel=np.flatnonzero(inside)[:1])
        rows.append(
            {
                "roi": roi,
                "instruction": "" if roi == "all" else str(one["planted_instruction"].values[0]),
                "layer": -1 if roi == "all" else int(one["planted_layer"].values[0]),
                "n_planted": int(inside.sum()),
                "n_reliable": int(reliable.sum()),
                "instruction_found": share(right, reliable),
                "instruction_clear": share(winners["clear"].values, reliable),
                "layer_found": share(distance <= NEIGHBOUR, found),
                "layer_in_interval": share(inside_interval, found),
                "median_layer_error": float(np.median(distance[found])) if found.any() else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _places(dataset: xr.Dataset) -> list[tuple[int, int, int]]:
    columns = (dataset[name].values.tolist() for name in "ijk")
    return list(zip(*columns, strict=True))
