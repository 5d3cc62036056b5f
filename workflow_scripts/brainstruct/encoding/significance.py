"""Which voxels are predicted better than chance, after correction for their number."""

from typing import Literal

import numpy as np
import xarray as xr

from brainstruct.encoding.fdr import LEVEL, benjamini_hochberg

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
