"""Writes NIfTI files as the NSD's MATLAB code did, in bounded memory."""

import gzip
import os
from collections.abc import Iterable
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from brainstruct.store.publishing import publish

VOXEL_SIZE = 1.8
"""Millimetres (func1pt8mm)."""
TRIAL_SECONDS = 4.0 / 3.0
"""Fourth pixel dimension of every file of this preparation."""
COMPRESSION_LEVEL = 1


def write_volume(values: npt.NDArray[Any], path: str | os.PathLike[str]) -> None:
    """Write one volume, [x, y, z]."""
    write_volumes(values.shape, values.dtype, [values.ravel(order="F")], path)


def write_volumes(
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    pieces: Iterable[npt.NDArray[Any]],
    path: str | os.PathLike[str],
) -> None:
    """Write volumes piece by piece; the bytes depend on the content alone (no time stamp).

    `shape` is of the whole: x, y, z and, if there are several volumes, their number. Pieces
    hold numbers in the order of the file: x fastest, then y, z and volume.
    """
    header = _header(shape, np.dtype(dtype))
    with (
        publish(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile("", "wb", COMPRESSION_LEVEL, raw, mtime=0) as file,
    ):
        header.write_to(file)
        file.write(bytes(int(header.get_data_offset()) - file.tell()))
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype=header.get_data_dtype()).tobytes())


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Return a header with the origin in the centre of the slab, and no qform."""
    header: Any = nibabel.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    header.set_xyzt_units("mm", "sec")
    affine = np.diag([VOXEL_SIZE, VOXEL_SIZE, VOXEL_SIZE, 1.0])
    # MATLAB's 1-based centre: origin (1 + size) / 2, first voxel 1.
    affine[:3, 3] = (1 - (1 + np.array(shape[:3])) / 2) * VOXEL_SIZE
    header.set_sform(affine, code=1)
    header["qform_code"] = 0
    header["pixdim"][1:5] = (VOXEL_SIZE, VOXEL_SIZE, VOXEL_SIZE, TRIAL_SECONDS)
    header["vox_offset"] = header.single_vox_offset
    return header
