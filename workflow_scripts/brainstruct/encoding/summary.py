"""Alignment tables with every noise ceiling side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from brainstruct.encoding.alignment import normalise
from brainstruct.encoding.regions import roi_table


def alignment_table(
    r: xr.DataArray,
    ceilings: Mapping[str, xr.DataArray],
    space: xr.Dataset,
    *,
    preferred: str,
    threshold: float,
    mask_name: str,
) -> pd.DataFrame:
    """Tabulate mean scores per region, normalised by each noise ceiling.

    Parameters
    ----------
    r : xarray.DataArray
        Raw scores with dims voxel and any others, which become columns.
    ceilings : mapping
        Name (``ncsnr``, ``cross_subject``) -> ceiling as a correlation, dim voxel.
    space : xarray.Dataset
        Voxels and their labels, see `brainstruct.encoding.regions.regions`.
    preferred : str
        The ceiling whose threshold decides which voxels count in ``r`` and
        that ``alignment`` is normalised by.
    threshold : float
        Voxels with a smaller ceiling are excluded, ceiling by ceiling.
    mask_name : str
        Name under which all voxels together appear.

    Returns
    -------
    pandas.DataFrame
        Columns of `brainstruct.encoding.regions.roi_table` for the preferred
        ceiling, and for each ceiling alignment_{name}, r_{name} (over the
        voxels that this ceiling keeps) and n_excluded_{name}.
    """
    tables = {
        name: roi_table(r, normalise(r, ceiling, threshold), space, mask_name)
        for name, ceiling in ceilings.items()
    }
    table = tables[preferred].copy()
    for name, one in tables.items():
        for column in ("alignment", "r", "n_excluded"):
            table[f"{column}_{name}"] = one[column]
    return table
