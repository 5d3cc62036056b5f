"""Alignment tables with every noise ceiling side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.encoding.regions import roi_table
from brainstruct.encoding.significance import significant


def alignment_table(
    r: xr.DataArray,
    p: xr.DataArray,
    ceilings: Mapping[str, xr.DataArray],
    space: xr.Dataset,
    *,
    preferred: str,
    mask_name: str,
) -> pd.DataFrame:
    """Tabulate mean scores per region, normalised by each noise ceiling.

    Raw scores and their p-values (NaN where nothing was tested) have the dim voxel and any others,
    which become columns; ceilings are correlations, by name (``ncsnr``, ``cross_subject``), see
    `brainstruct.brain.ceilings.usable_ceiling`. Voxels without one are excluded, ceiling by
    ceiling; the preferred one decides which voxels count in ``r``, and what ``alignment`` is
    normalised by.

    Returns
    -------
    pandas.DataFrame
        Columns of `brainstruct.encoding.regions.roi_table` for the preferred ceiling, its
        alignment, r and n_excluded for each ceiling, and how many of the voxels that the
        preferred one keeps are predicted better than chance (false discovery rate over the
        voxels of the mask; empty where nothing was tested).
    """
    tables = {
        name: roi_table(r, r / ceiling, space, mask_name) for name, ceiling in ceilings.items()
    }
    table = tables[preferred].copy()
    for name, one in tables.items():
        for column in ("alignment", "r", "n_excluded"):
            table[f"{column}_{name}"] = one[column]
    found = significant(p, ceilings[preferred])
    share = roi_table(found, found, space, mask_name)["r"].astype(np.float64)
    kept = table["n_voxels"] - table["n_excluded"]
    table["n_significant"] = (share * kept).round().astype("Int64")
    table["share_significant"] = share
    return table
