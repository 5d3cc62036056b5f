"""Which voxels are predicted better than chance, and tables of regions that say how many."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.encoding.fdr import LEVEL, benjamini_hochberg
from brainstruct.encoding.regions import roi_table

Control = Literal["fdr", "fwe"]
"""What is controlled: the false discovery rate, or the family-wise error."""


def significant(
    chance: xr.Dataset, ceiling: xr.DataArray, control: Control = "fdr"
) -> xr.DataArray:
    """Say which voxels remain after correction.

    `chance` has ``p`` and ``p_fwe`` (see `brainstruct.encoding.permutation.Chance`) with dim voxel
    and others (instruction, layer), which are families of their own; voxels without a
    ceiling are not tested. Returns 1 where q (Benjamini-Hochberg over the tested voxels), or
    p_fwe (over all voxels), is at most `LEVEL`, 0 where it is not, NaN where there was no test.
    """
    p = chance["p" if control == "fdr" else "p_fwe"]
    tested = p.where(ceiling.notnull())
    if control == "fdr":
        adjusted = benjamini_hochberg(tested, axis=tested.get_axis_num("voxel"))
        tested = tested.copy(data=adjusted)
    return (tested <= LEVEL).where(tested.notnull()).astype(np.float32)


def least_discoveries(smallest_p: float, n_tested: int) -> int:
    """Return how many voxels must have the smallest p for any to pass Benjamini-Hochberg."""
    return max(int(np.ceil(smallest_p * n_tested / LEVEL)), 1)


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

    Raw scores, and p-values (see `significant`; NaN where nothing
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
