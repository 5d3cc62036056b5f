"""Betas of one session, from HDF5 or NIfTI, for chosen voxels, in bounded memory.

Both formats hold percent signal change times 300 as int16. The HDF5 files were
written by MATLAB as [x, y, z, trial] and therefore read as [trial, z, y, x].
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import IO, Any, TypeAlias

import h5py
import nibabel
import numpy as np
import numpy.typing as npt

from brainstruct.brain.unreadable import UNREADABLE
from brainstruct.datasets.nsd import numbers
from brainstruct.errors import InputError

SCALE = 300.0
"""Stored number per percent signal change."""

SATURATED: tuple[int, ...] = (-32768, -32767, 32767)
"""Numbers at the ends of int16: the true value lies beyond them."""

BLOCK_BYTES = 64 * 2**20
"""Bytes of a NIfTI file held at a time (whole volumes, one at least)."""

Betas: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32]

_Stored: TypeAlias = tuple[int, tuple[int, ...], np.dtype[Any]]
"""Trials, shape of a volume [x, y, z], type."""

_AGAIN = "Download the session again"
_CURE = f"{_AGAIN}, or use only the sessions before it"

_GZIP_LENGTH = 2**32
"""The end of a gzip file holds the length of its content modulo this (RFC 1952)."""
_GZIP_EXTRA = 0x04
"""Flag of gzip files with extra fields: blocked ones, whose end speaks of a block only."""


def read_session(path: str | os.PathLike[str], mask: npt.NDArray[np.bool_]) -> Betas:
    """Read the betas of one session inside a mask.

    Parameters
    ----------
    path : path
        ``betas_sessionNN.hdf5`` or ``betas_sessionNN.nii.gz``.
    mask : ndarray of bool, [x, y, z]
        Voxels to read.

    Returns
    -------
    ndarray of int16, [trial: 750, voxel]
        Stored numbers (percent signal change times 300), voxels in the order of
        ``numpy.argwhere(mask)``; the same from both formats. float32 if the
        file holds floating-point numbers.

    Raises
    ------
    InputError
        If the file is missing, damaged or truncated, its volumes have another
        shape than the mask, it has not 750 trials, its type is neither int16
        nor floating-point, NIfTI scaling is set, or a number is not finite.
    """
    if not mask.any():
        raise ValueError("the mask marks no voxel")
    file = Path(path)
    read = _read_nifti if file.name.endswith((".nii", ".nii.gz")) else _read_hdf5
    betas = read(file, mask)
    if betas.dtype != np.int16:
        _refuse_non_finite(file, betas, mask)
    return betas


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
        stored = (_describe_nifti if file.name.endswith(".nii.gz") else _describe_hdf5)(file)
    except (*UNREADABLE, RuntimeError) as error:
        raise InputError(file, f"is damaged or truncated ({error})", _AGAIN) from error
    _check(file, stored, shape, "the subject's mask", _AGAIN)


def _read_hdf5(path: Path, mask: npt.NDArray[np.bool_]) -> Betas:
    try:
        with h5py.File(path, "r") as file:
            stored = file.get("betas")
            if not isinstance(stored, h5py.Dataset):
                raise InputError(path, "has no data set betas", _CURE)
            betas = _empty(path, _layout_of_hdf5(stored), mask)
            for voxels, (x, y, z) in _runs(mask):
                betas[:, voxels] = stored[:, z, y, x]
            return betas
    except (OSError, RuntimeError) as error:
        raise InputError(path, f"is damaged or no HDF5 file ({error})", _CURE) from error


def _runs(
    mask: npt.NDArray[np.bool_],
) -> Iterator[tuple[npt.NDArray[np.int64], tuple[slice, int, int]]]:
    """Yield runs of neighbours along x: places in ``argwhere(mask)``, and (slice x, y, z)."""
    # The files have one chunk per voxel, so reading more than the mask costs
    # time: bounding rectangles of whole planes take four times as long.
    x, y, z = np.nonzero(mask)
    order = np.lexsort((x, y, z))
    breaks = (np.diff(x[order]) != 1) | (np.diff(y[order]) != 0) | (np.diff(z[order]) != 0)
    for voxels in np.split(order, np.flatnonzero(breaks) + 1):
        first = voxels[0]
        yield voxels, (slice(x[first], x[first] + voxels.size), y[first], z[first])


def _read_nifti(path: Path, mask: npt.NDArray[np.bool_]) -> Betas:
    try:
        # nibabel forgets offset and scaling in a loaded header; the proxy keeps them.
        stored: Any = nibabel.Nifti1Image.from_filename(path).dataobj
        if len(stored.shape) != 4:
            raise InputError(path, f"has shape {stored.shape} and holds no trials", _CURE)
        if (stored.slope, stored.inter) != (1.0, 0.0):
            raise InputError(
                path,
                f"scales its numbers by {stored.slope} and shifts them by {stored.inter}, "
                "the data set does neither",
                _CURE,
            )
        betas = _empty(path, _layout_of_nifti(stored), mask)
        # The file stores x fastest: these are the voxels' places in a volume.
        places = np.ravel_multi_index(np.nonzero(mask), mask.shape, order="F")
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
            file.seek(stored.offset)
            for first, block in _blocks(file, stored.dtype, mask.size):
                betas[first : first + len(block)] = block[:, places]
            file.read(1)  # The end of a gzip stream is where its checksum is compared.
        return betas
    except UNREADABLE as error:
        raise InputError(path, f"is damaged or no NIfTI file ({error})", _CURE) from error


def _blocks(
    file: IO[bytes] | gzip.GzipFile, dtype: np.dtype[Any], volume: int
) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Yield (first trial, [trial, place in volume]) for blocks of whole volumes."""
    at_once = max(1, BLOCK_BYTES // (volume * dtype.itemsize))
    for first in range(0, numbers.TRIALS_PER_SESSION, at_once):
        trials = min(at_once, numbers.TRIALS_PER_SESSION - first)
        wanted = trials * volume * dtype.itemsize
        content = file.read(wanted)
        if len(content) < wanted:
            raise EOFError(f"ends within trials {first} to {first + trials - 1} of the session")
        yield first, np.frombuffer(content, dtype).reshape(trials, volume)


def _check(
    path: Path, stored: _Stored, shape: tuple[int, ...] | None, owner: str, cure: str
) -> None:
    """Check that what is stored is a session of volumes of the shape that `owner` has."""
    trials, volume, dtype = stored
    if shape is not None and volume != shape:
        raise InputError(
            path,
            f"holds volumes of shape {volume}, {owner} has {shape}",
            "Take the betas and the ROI volumes from one functional preparation (space)",
        )
    if trials != numbers.TRIALS_PER_SESSION:
        wanted = numbers.TRIALS_PER_SESSION
        raise InputError(path, f"holds {trials} trials instead of {wanted}", cure)
    if not np.issubdtype(dtype, np.floating) and (dtype.kind, dtype.itemsize) != ("i", 2):
        raise InputError(path, f"holds {dtype} instead of int16", cure)


def _empty(path: Path, stored: _Stored, mask: npt.NDArray[np.bool_]) -> Betas:
    """Return an array for a session of the mask's volume."""
    _check(path, stored, mask.shape, "the mask", _CURE)
    size = stored[0], int(np.count_nonzero(mask))
    if np.issubdtype(stored[2], np.floating):
        return np.empty(size, dtype=np.float32)
    return np.empty(size, dtype=np.int16)


def _refuse_non_finite(path: Path, betas: Betas, mask: npt.NDArray[np.bool_]) -> None:
    wrong = ~np.isfinite(betas)
    if wrong.any():
        trial, voxel = (int(place) for place in np.argwhere(wrong)[0])
        place = tuple(int(index) for index in np.argwhere(mask)[voxel])
        raise InputError(
            path,
            f"{np.count_nonzero(wrong)} betas of the mask are not finite "
            f"(the first is trial {trial} of voxel {place}: {betas[trial, voxel]})",
            _CURE,
        )


def _describe_hdf5(path: Path) -> _Stored:
    with h5py.File(path, "r") as file:  # compares the length its header states with its size
        stored = file.get("betas")
        if not isinstance(stored, h5py.Dataset) or stored.ndim != 4:
            raise InputError(path, "has no data set betas of four dimensions", _AGAIN)
        return _layout_of_hdf5(stored)


def _describe_nifti(path: Path) -> _Stored:
    stored: Any = nibabel.Nifti1Image.from_filename(path).dataobj
    if len(stored.shape) != 4:
        raise InputError(path, f"has shape {stored.shape} and holds no trials", _AGAIN)
    if (stored.slope, stored.inter) != (1.0, 0.0):
        fault = f"scales its numbers by {stored.slope} and shifts them by {stored.inter}"
        raise InputError(path, fault, _AGAIN)
    promised = int(stored.offset) + prod(map(int, stored.shape)) * stored.dtype.itemsize
    with path.open("rb") as file:
        flags = file.read(4)[3]
        file.seek(-4, os.SEEK_END)
        held = int.from_bytes(file.read(4), "little")
    if held != promised % _GZIP_LENGTH and not flags & _GZIP_EXTRA:
        raise InputError(
            path, f"is truncated: its header promises {promised} bytes, its end does not", _AGAIN
        )
    return _layout_of_nifti(stored)


def _layout_of_hdf5(stored: h5py.Dataset) -> _Stored:
    return int(stored.shape[0]), tuple(map(int, stored.shape[:0:-1])), stored.dtype


def _layout_of_nifti(stored: Any) -> _Stored:
    return int(stored.shape[3]), tuple(map(int, stored.shape[:3])), stored.dtype
