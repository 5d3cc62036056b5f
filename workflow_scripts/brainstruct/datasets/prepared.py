"""Responses of a subject as `brainstruct.datasets.averaging` has made them, read in parts."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.datasets.nsd.ids import IntArray
from brainstruct.store.arrays import provenance, read_dataset


@dataclass(frozen=True)
class Responses:
    """The responses of a subject, with what encoding models are fitted to and tested on.

    Attributes
    ----------
    betas : array of float32, [image, voxel]
        In standard deviations.
    train : array of bool, [image]
        Images of the training set; the others are tested on.
    nsd_id, voxel : xarray.DataArray
        What rows and columns are.
    provenance : dict
        What they depend on.
    """

    betas: NDArray[np.float32]
    train: NDArray[np.bool_]
    nsd_id: xr.DataArray
    voxel: xr.DataArray
    provenance: dict[str, Any]

    @property
    def measured(self) -> NDArray[np.float32]:
        """[training image, voxel]."""
        return self.betas[self.train]

    @property
    def truth(self) -> NDArray[np.float32]:
        """[test image, voxel]."""
        return self.betas[~self.train]

    @property
    def tested(self) -> IntArray:
        """``nsd_id`` of the test images."""
        ids: IntArray = self.nsd_id.values[~self.train]
        return ids


def read_responses(path: str | PathLike[str]) -> Responses:
    """Read all prepared responses of a subject.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    stored = read_dataset(path, ["betas", "split"], ["nsd_id", "voxel"])
    return Responses(
        stored["betas"].transpose("nsd_id", "voxel").values,
        (stored["split"] == "train").values,
        stored["nsd_id"],
        stored["voxel"],
        provenance(stored),
    )


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
