"""Writes sessions of betas as HDF5 and NIfTI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import h5py
import numpy as np
import numpy.typing as npt

from brainstruct.nsd import ids
from brainstruct.nsd.betas import BLOCK_BYTES
from brainstruct.nsd.synthetic.nifti import write_volumes
from brainstruct.store.publishing import publish

Int16 = npt.NDArray[np.int16]


def write_hdf5(betas: Int16, mask: npt.NDArray[np.bool_], path: str | os.PathLike[str]) -> None:
    """Write ``/betas``, [trial, z, y, x], one chunk per voxel.

    Parameters
    ----------
    betas : ndarray of int16, [trial: 750, voxel]
        Stored numbers, voxels in the order of ``argwhere(mask)``.
    mask : ndarray of bool, [x, y, z]
        Where they belong. Other voxels, and voxels that are all zero, read as
        zeros but take no space.
    path : path
        ``betas_sessionNN.hdf5``.
    """
    trials = betas.shape[0]
    with publish(path) as temporary, h5py.File(temporary, "w") as file:
        stored = file.create_dataset(
            "betas",
            shape=(trials, *mask.shape[::-1]),
            dtype=np.int16,
            chunks=(trials, 1, 1, 1),
        )
        columns = np.ascontiguousarray(betas.T)
        for (x, y, z), column in zip(np.argwhere(mask).tolist(), columns, strict=True):
            if column.any():
                stored.id.write_direct_chunk((0, z, y, x), column.tobytes())


def write_nifti(betas: Int16, mask: npt.NDArray[np.bool_], path: str | os.PathLike[str]) -> None:
    """Write the same numbers as a series of volumes, [x, y, z, trial]; see `write_hdf5`."""
    write_volumes((*mask.shape, betas.shape[0]), np.int16, _volumes(betas, mask), path)


def _volumes(betas: Int16, mask: npt.NDArray[np.bool_]) -> Iterator[Int16]:
    places = np.ravel_multi_index(np.nonzero(mask), mask.shape, order="F")
    at_once = min(ids.TRIALS_PER_SESSION, max(1, BLOCK_BYTES // (2 * mask.size)))
    for first in range(0, betas.shape[0], at_once):
        rows = betas[first : first + at_once]
        block = np.zeros((rows.shape[0], mask.size), dtype=np.int16)
        block[:, places] = rows
        yield block
