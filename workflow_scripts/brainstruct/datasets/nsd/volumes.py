"""NIfTI volumes of one subject and space."""

import os
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel import Nifti1Image

from brainstruct.brain.images import open_image
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
