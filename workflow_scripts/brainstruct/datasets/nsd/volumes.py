"""NIfTI volumes of one subject and space."""

from __future__ import annotations

import os
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from brainstruct.brain.unreadable import UNREADABLE
from brainstruct.errors import InputError

AGAIN = "Download it again from the same place in s3://natural-scenes-dataset"


def read_volume(
    path: str | os.PathLike[str], shape: tuple[int, ...] | None = None, cure: str = AGAIN
) -> npt.NDArray[Any]:
    """Read a NIfTI volume as it is stored (with its scaling, if it has one).

    Parameters
    ----------
    shape : tuple of int, optional
        That of the subject's other volumes.
    cure : str
        What to do if the file is missing or damaged.

    Returns
    -------
    ndarray, [x, y, z]

    Raises
    ------
    InputError
        If the file is missing or damaged, is no volume, or has another shape.
    """
    try:
        values = np.asarray(nibabel.Nifti1Image.from_filename(path).dataobj)
    except UNREADABLE as error:
        raise InputError(path, f"is no readable NIfTI file ({error})", cure) from error
    if values.ndim != 3:
        raise InputError(path, f"has shape {values.shape} and is no volume", cure)
    if shape is not None and values.shape != shape:
        raise InputError(
            path,
            f"has shape {values.shape}, the subject's other volumes have {shape}",
            "Take all files of a subject from one functional preparation (space)",
        )
    return values
