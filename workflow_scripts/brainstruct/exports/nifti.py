"""Maps as NIfTI volumes on the subject's own grid."""

from pathlib import Path

import nibabel
import numpy as np

from brainstruct.brain.images import Grid
from brainstruct.exports.maps import NOTHING, VoxelMap

_STORED = {"statmap": (np.float32, np.nan), "dseg": (np.int16, NOTHING), "mask": (np.uint8, 0)}
"""Suffix of a map -> type of its numbers, and the one outside the analysed voxels."""


def write_nifti(found: VoxelMap, grid: Grid, path: Path) -> None:
    """Write a map as [x, y, z], or [x, y, z, volume]; the bytes depend on the content alone."""
    values = np.asarray(found.values)
    place = tuple(np.asarray(found.values[axis]) for axis in ("i", "j", "k"))
    kind, background = _STORED[found.suffix]
    volume = np.full((*grid.shape, *values.shape[:-1]), background, kind)
    volume[place] = values.T
    image = nibabel.Nifti1Image(volume, grid.affine)
    header = image.header
    header.set_sform(grid.affine, grid.code)
    header.set_qform(None, 0)  # as the data set's files: one statement of where voxels lie
    header.set_xyzt_units("mm")
    if found.suffix == "dseg":
        header.set_intent("label", name=found.desc[:15])
    nibabel.save(image, path)
