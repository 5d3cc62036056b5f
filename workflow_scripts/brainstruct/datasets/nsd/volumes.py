"""NIfTI volumes of one subject and space, and where their voxels lie."""

import os
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel import Nifti1Image

from brainstruct.brain.images import Grid, open_image
from brainstruct.errors import InputError
from brainstruct.store.faults import reading

MOST_VOXELS = 2**28
"""Voxels of a volume, at most: eight times those of half a millimetre."""

AGAIN = "Download it again from the same place in s3://natural-scenes-dataset"


def read_volume(
    path: str | os.PathLike[str], shape: tuple[int, ...] | None = None, cure: str = AGAIN
) -> npt.NDArray[Any]:
    """Read a NIfTI volume [x, y, z] as it is stored (with its scaling, if it has one).

    `shape` is that of the subject's other volumes, another one an `InputError`; `cure` is of a
    missing or damaged file.
    """
    image = open_image(Nifti1Image, path, cure, n_dims=3)
    found = tuple(int(length) for length in image.shape)
    if shape is not None and found != shape:
        raise InputError(
            path,
            f"has shape {found}, the subject's other volumes have {shape}",
            "Take all files of a subject from one functional preparation (space)",
        )
    if prod(found) > MOST_VOXELS:
        raise InputError(path, f"is damaged: its header announces shape {found}", cure)
    with reading(path, "NIfTI file", cure):
        return np.asarray(image.dataobj)


def read_grid(path: str | os.PathLike[str], shape: Sequence[int]) -> Grid:
    """Read the grid of a NIfTI volume, which has the shape of the analysed ones.

    The functional volumes of the NSD have one affine per subject and preparation: voxel size on the
    diagonal, origin in the centre of the slab. It is no anatomical alignment: to anatomy and
    surfaces lead the data set's transforms alone. An `InputError` if the file has another shape, or
    says nowhere where its voxels lie.
    """
    image = open_image(Nifti1Image, path, AGAIN, n_dims=3)
    with reading(path, "NIfTI file", AGAIN):
        affine = np.asarray(image.affine, np.float64)
        codes = int(image.header["sform_code"]), int(image.header["qform_code"])
    found = tuple(int(length) for length in image.shape)
    if found != tuple(int(length) for length in shape):
        raise InputError(
            path,
            f"has shape {found}, the analysed volumes have {tuple(map(int, shape))}",
            "Take all files of a subject from one functional preparation (space), and run the "
            "study again if they were replaced",
        )
    code = codes[0] or codes[1]
    if code == 0 or not np.isfinite(affine).all() or np.linalg.det(affine[:3, :3]) == 0:
        raise InputError(path, "says nowhere where its voxels lie (sform and qform)", AGAIN)
    x, y, z = found
    return Grid(affine, (x, y, z), code)
