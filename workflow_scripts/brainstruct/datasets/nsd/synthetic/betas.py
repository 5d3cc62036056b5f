"""Draws sessions of betas as the NSD stores them, and writes them as HDF5 and NIfTI."""

import os

import h5py
import numpy as np
import numpy.typing as npt

from brainstruct.datasets.nsd.betas import SATURATED, SCALE
from brainstruct.datasets.nsd.ids import IntArray
from brainstruct.datasets.nsd.synthetic.nifti import write_volumes
from brainstruct.datasets.nsd.synthetic.planting import Voxels
from brainstruct.store.publishing import publish

OFFSET = 0.5
"""Standard deviation of the session offsets over that of the betas."""

SPREAD = 1.5
"""Standard deviation of the betas of a voxel, percent signal change."""

N_SATURATED = 5
"""Numbers of a session that are beyond int16."""

LARGEST = 32_000
"""Numbers beyond are left to `spoil`."""

Int16 = npt.NDArray[np.int16]


def draw_session(voxels: Voxels, image: IntArray, random: np.random.Generator) -> Int16:
    """Draw one session, [trial, voxel]: percent signal change times 300.

    `image` [trial] is the row of ``voxels.signal`` that each trial shows.
    """
    noise = random.standard_normal((image.size, voxels.noise.size)) * voxels.noise
    total = np.sqrt(voxels.signal.var(axis=0) + voxels.noise**2)
    change = (voxels.signal[image] + noise) / total
    change += OFFSET * random.standard_normal(voxels.noise.size)
    stored = np.rint(change * SPREAD * SCALE)
    return np.asarray(np.clip(stored, -LARGEST, LARGEST), np.int16)


def spoil(betas: Int16, voxels: Voxels, random: np.random.Generator) -> None:
    """Do to a session, in place, what happens to real ones.

    One voxel of nsdgeneral becomes all zero (one that carries no planted
    signal, if there is any), and some numbers of others saturate, at either end in turn.
    """
    general = np.flatnonzero(voxels.general)
    idle = general[voxels.source[general] == 0]
    constant = random.choice(idle if idle.size else general)
    trial = random.choice(betas.shape[0], N_SATURATED, replace=False)
    voxel = random.choice(general[general != constant], N_SATURATED)
    betas[trial, voxel] = np.resize(SATURATED[::-1], N_SATURATED)
    betas[:, constant] = 0


def write_hdf5(betas: Int16, mask: npt.NDArray[np.bool_], path: str | os.PathLike[str]) -> None:
    """Write ``/betas``, [trial, z, y, x], one chunk per voxel.

    The stored numbers are [trial: 750, voxel], in the order of ``argwhere(mask)``; the mask is
    [x, y, z]. Other voxels, and those that are all zero, read as zeros but take no space.
    """
    trials = betas.shape[0]
    with publish(path) as temporary, h5py.File(temporary, "w", locking=False) as file:
        stored = file.create_dataset(
            "betas", shape=(trials, *mask.shape[::-1]), dtype=np.int16, chunks=(trials, 1, 1, 1)
        )
        columns = np.ascontiguousarray(betas.T)
        for (x, y, z), column in zip(np.argwhere(mask).tolist(), columns, strict=True):
            if column.any():
                stored.id.write_direct_chunk((0, z, y, x), column.tobytes())


def write_nifti(betas: Int16, mask: npt.NDArray[np.bool_], path: str | os.PathLike[str]) -> None:
    """Write the same numbers as a series of volumes, [x, y, z, trial]; see `write_hdf5`."""

    def volume(trial: Int16) -> Int16:
        values = np.zeros(mask.shape, dtype=np.int16, order="F")
        values[mask] = trial
        return values.ravel(order="F")

    write_volumes((*mask.shape, betas.shape[0]), np.int16, map(volume, betas), path)
