"""Tables with one row per voxel, behind flatmaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray


def voxel_table(voxels: xr.DataArray, **columns: NDArray[np.generic]) -> pd.DataFrame:
    """Put values beside the indices of their voxels.

    Parameters
    ----------
    voxels : xarray.DataArray
        Array with dimension voxel and coordinates i, j, k.
    **columns : numpy.ndarray
        Name of a column -> one value per voxel.

    Returns
    -------
    pandas.DataFrame
        i, j, k and the columns.
    """
    index = {axis: np.asarray(voxels[axis]) for axis in ("i", "j", "k")}
    return pd.DataFrame({**index, **columns})
