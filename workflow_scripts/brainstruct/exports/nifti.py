"""Maps as NIfTI volumes on the subject's own grid."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from brainstruct.exports.maps import NOTHING, VoxelMap
from brainstruct.nsd.grid import Grid

_BACKGROUND = {"statmap": np.nan, "dseg": NOTHING, "mask": 0}
_DTYPES = {"statmap": np.float32, "dseg": np.int16, "mask": np.uint8}


def fill(found: VoxelMap, shape: tuple[int, int, int]) -> NDArray[np.generic]:
    """Put a map's values into a volume.

    Returns
    -------
    numpy.ndarray
        [x, y, z], or [x, y, z, volume] if the map has several; float32 with NaN
        (``statmap``), int16 (``dseg``) or uint8 (``mask``).
    """
    values = np.asarray(found.values)
    place = tuple(np.asarray(found.values[axis]) for axis in ("i", "j", "k"))
    volume: NDArray[np.generic] = np.full(
        (*shape, *values.shape[:-1]), _BACKGROUND[found.suffix], _DTYPES[found.suffix]
    )
    volume[place] = values.T
    return volume


def write_nifti(found: VoxelMap, grid: Grid, path: Path) -> None:
    """Write a map; the bytes depend on the content alone.

    Parameters
    ----------
    found : VoxelMap
        The map.
    grid : Grid
        Where the voxels lie.
    path : pathlib.Path
        ``*.nii.gz``.
    """
    image = nibabel.Nifti1Image(fill(found, grid.shape), grid.affine)
    header = image.header
    header.set_sform(grid.affine, grid.code)
    header.set_qform(None, 0)  # as the data set's files: one statement of where voxels lie
    header.set_xyzt_units("mm")
    if found.suffix == "dseg":
        header.set_intent("label", name=found.desc[:15])
    nibabel.save(image, path)
