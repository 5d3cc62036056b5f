"""Alignment tables with every noise ceiling side by side."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.encoding.regions import roi_table
from brainstruct.encoding.significance import Control, significant


def alignment_table(
    r: xr.DataArray,
    chance: xr.Dataset,
    ceilings: Mapping[str, xr.DataArray],
    space: xr.Dataset,
    *,
    preferred: str,
    mask_name: str,
    control: Control = "fdr",
) -> pd.DataFrame:
    """Tabulate mean scores per region, normalised by each noise ceiling.

    Raw scores, and p-values (see `brainstruct.encoding.significance.significant`; NaN where nothing
    was tested), have the dim voxel and any others, which become columns; ceilings are correlations,
    by name (``ncsnr``, ``cross_subject``), NaN where scores cannot be divided by them. Such voxels
    are excluded, ceiling by ceiling; the preferred one decides which voxels count in ``r``, and
    what ``alignment`` is normalised by.

    Returns
    -------
    pandas.DataFrame
        Columns of `brainstruct.encoding.regions.roi_table` for the preferred ceiling, its
        alignment, r and n_excluded for each ceiling, and how many of the voxels that the
        preferred one keeps are predicted better than chance (empty where nothing was tested).
    """
    tables = {name: roi_table(r, ceiling, space, mask_name) for name, ceiling in ceilings.items()}
    table = tables[preferred].copy()
    for name, one in tables.items():
        for column in ("alignment", "r", "n_excluded"):
            table[f"{column}_{name}"] = one[column]
    found = significant(chance, ceilings[preferred], control)
    everywhere = xr.ones_like(ceilings[preferred])
    share = roi_table(found, everywhere, space, mask_name)["r"].astype(np.float64)
    kept = table["n_voxels"] - table["n_excluded"]
    table["n_significant"] = (share * kept).round().astype("Int64")
    table["share_significant"] = share
    return table
