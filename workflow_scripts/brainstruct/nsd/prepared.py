"""Responses of a subject as `brainstruct.nsd.responses` has prepared them, read in parts."""

from __future__ import annotations

from os import PathLike

import xarray as xr

from brainstruct.nsd.ids import IntArray
from brainstruct.store.arrays import read_dataset


def images_tested(path: str | PathLike[str]) -> IntArray:
    """Return the ``nsd_id`` that a subject's encoding models are tested on, as in the file.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    split = read_dataset(path, ["split"], ["nsd_id"], only=True)
    ids: IntArray = split["nsd_id"].values[split["split"].values == "test"]
    return ids


def read_betas(path: str | PathLike[str], images: IntArray) -> xr.DataArray:
    """Read the responses to some images.

    Parameters
    ----------
    images : ndarray of int, [image]
        ``nsd_id``.

    Returns
    -------
    xarray.DataArray
        (nsd_id, voxel), float32, in standard deviations; images in the order
        asked for.

    Raises
    ------
    InputError
        If the file is missing or damaged, or lacks an image.
    """
    read = read_dataset(path, ["betas"], ["nsd_id", "voxel"], select={"nsd_id": images}, only=True)
    return read["betas"].transpose("nsd_id", "voxel")
