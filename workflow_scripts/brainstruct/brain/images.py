"""Images of the brain in nibabel's formats, and the grids they are on."""

import os
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainstruct.errors import InputError
from brainstruct.store.faults import reading

_INFLATED = 1032
"""Bytes that one byte of a gzip file can stand for, at most."""


@dataclass(frozen=True)
class Grid:
    """The grid of a volume."""

    affine: npt.NDArray[np.float64]  # [4, 4]: from voxels, counted from 0, to millimetres
    shape: tuple[int, int, int]  # voxels along x, y and z
    code: int  # what the millimetres are, NIfTI's ``sform_code`` (1: the subject's own space)


def open_image(
    kind: Any, path: str | os.PathLike[str], cure: str, n_dims: int | None = None
) -> Any:
    """Read the header of an image, held against the file; numbers are read when asked for.

    `kind` is nibabel's class: ``Nifti1Image``, ``MGHImage``; `cure` is of a file that is missing or
    damaged. An `InputError` if the file is missing, damaged or of another format, has other
    dimensions, or cannot hold what its header announces.
    """
    called = {"Nifti1Image": "NIfTI", "MGHImage": "MGZ"}[kind.__name__]
    with reading(path, f"{called} file", cure):
        image = kind.from_filename(path)
        shape = tuple(int(length) for length in image.shape)
        announced = image.dataobj.offset + prod(shape) * image.dataobj.dtype.itemsize
        held = Path(path).stat().st_size
    if n_dims is not None and len(shape) != n_dims:
        what = "is no volume" if n_dims == 3 else "holds no trials"
        raise InputError(path, f"has shape {shape} and {what}", cure)
    packed = str(path).endswith((".gz", ".mgz"))
    if min(shape, default=0) < 1 or announced > held * (_INFLATED if packed else 1):
        fault = f"is damaged or cut: its header announces shape {shape}, {announced} bytes"
        raise InputError(path, f"{fault}, more than a file of {held} bytes can hold", cure)
    return image
