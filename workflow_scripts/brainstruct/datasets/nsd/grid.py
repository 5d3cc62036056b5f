"""Where the voxels of a subject's functional volumes lie, as the data set's files say."""

import os
from collections.abc import Sequence

import numpy as np
from nibabel import Nifti1Image

from brainstruct.brain.grid import Grid
from brainstruct.brain.images import open_image
from brainstruct.datasets.nsd.volumes import AGAIN
from brainstruct.errors import InputError
from brainstruct.store.faults import reading


def read_grid(path: str | os.PathLike[str], shape: Sequence[int]) -> Grid:
    """Read the grid of a NIfTI volume, which has the shape of the analysed ones.

    The functional volumes of the NSD have one affine per subject and
    preparation: voxel size on the diagonal, origin in the centre of the slab.
    It is no anatomical alignment: to anatomy and surfaces lead the data set's
    transforms alone. An `InputError` if the file has another shape, or says nowhere where
    its voxels lie.
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
