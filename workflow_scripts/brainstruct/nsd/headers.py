"""Betas judged by their headers and sizes: no array is read."""

from __future__ import annotations

import os
from math import prod
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np

from brainstruct.errors import InputError
from brainstruct.nsd import ids
from brainstruct.nsd.volumes import UNREADABLE

_CURE = "Download the session again"

_GZIP_LENGTH = 2**32
"""The end of a gzip file holds the length of its content modulo this (RFC 1952)."""
_GZIP_EXTRA = 0x04
"""Flag of gzip files with extra fields: blocked ones, whose end speaks of a block only."""


def inspect_session(path: str | os.PathLike[str], shape: tuple[int, ...] | None = None) -> None:
    """Check that a file can hold the betas of a session, of volumes of a shape [x, y, z].

    Raises
    ------
    InputError
        If the file is missing, unreadable or shorter than its header says,
        holds another number of trials or other volumes, is scaled, or holds
        neither int16 nor floating-point numbers.
    """
    file = Path(path)
    try:
        stored = (_nifti if file.name.endswith(".nii.gz") else _hdf5)(file)
    except (*UNREADABLE, RuntimeError) as error:
        raise InputError(file, f"is damaged or truncated ({error})", _CURE) from error
    trials, volume, dtype = stored
    if trials != ids.TRIALS_PER_SESSION:
        fault = f"holds {trials} trials instead of {ids.TRIALS_PER_SESSION}"
        raise InputError(file, fault, _CURE)
    if dtype != np.int16 and not np.issubdtype(dtype, np.floating):
        raise InputError(file, f"holds {dtype} instead of int16", _CURE)
    if shape is not None and volume != shape:
        raise InputError(
            file,
            f"holds volumes of shape {volume}, the subject's mask has {shape}",
            "Take the betas and the ROI volumes from one functional preparation (space)",
        )


def _hdf5(path: Path) -> tuple[int, tuple[int, ...], np.dtype[Any]]:
    with h5py.File(path, "r") as file:  # compares the length its header states with its size
        stored = file.get("betas")
        if not isinstance(stored, h5py.Dataset) or stored.ndim != 4:
            raise InputError(path, "has no data set betas of four dimensions", _CURE)
        return int(stored.shape[0]), tuple(map(int, stored.shape[:0:-1])), stored.dtype


def _nifti(path: Path) -> tuple[int, tuple[int, ...], np.dtype[Any]]:
    stored: Any = nibabel.Nifti1Image.from_filename(path).dataobj
    if len(stored.shape) != 4:
        raise InputError(path, f"has shape {stored.shape} and holds no trials", _CURE)
    if (stored.slope, stored.inter) != (1.0, 0.0):
        fault = f"scales its numbers by {stored.slope} and shifts them by {stored.inter}"
        raise InputError(path, fault, _CURE)
    promised = int(stored.offset) + prod(map(int, stored.shape)) * stored.dtype.itemsize
    with path.open("rb") as file:
        flags = file.read(4)[3]
        file.seek(-4, os.SEEK_END)
        held = int.from_bytes(file.read(4), "little")
    if held != promised % _GZIP_LENGTH and not flags & _GZIP_EXTRA:
        raise InputError(
            path, f"is truncated: its header promises {promised} bytes, its end does not", _CURE
        )
    return int(stored.shape[3]), tuple(map(int, stored.shape[:3])), stored.dtype
