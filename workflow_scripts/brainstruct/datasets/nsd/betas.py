"""Betas of one session, from HDF5 or NIfTI, for chosen voxels, in bounded memory.

Both formats hold percent signal change times 300 as int16. The HDF5 files were
written by MATLAB as [x, y, z, trial] and therefore read as [trial, z, y, x].
"""

import gzip
import os
from collections.abc import Iterator
from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import IO, Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt
from nibabel import Nifti1Image

from brainstruct.brain.images import open_image
from brainstruct.datasets.nsd import numbers
from brainstruct.datasets.nsd.sessions import AGAIN, AS_WRITTEN, without
from brainstruct.errors import InputError
from brainstruct.store.faults import reading
from brainstruct.store.hdf5 import array_of, open_hdf5

SCALE = 300.0
"""Stored number per percent signal change."""

SATURATED: tuple[int, ...] = (-32768, -32767, 32767)
"""Numbers at the ends of int16: the true value lies beyond them."""

BLOCK_BYTES = 64 * 2**20
"""Bytes of a NIfTI file held at a time (whole volumes, one at least)."""

Betas: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32]

_SAMPLED, _VOLUMES = 64, 3
"""Voxels, or trials, that are looked at before a study."""

_GZIP_LENGTH = 2**32
"""The end of a gzip file holds the length of its content modulo this (RFC 1952)."""
_GZIP_EXTRA = 0x04
"""Flag of gzip files with extra fields: blocked ones, whose end speaks of a block only."""


def read_session(path: str | os.PathLike[str], mask: npt.NDArray[np.bool_]) -> Betas:
    """Read ``betas_sessionNN.hdf5`` or ``.nii.gz`` inside a mask, [x, y, z].

    An `InputError` if the file is missing, damaged or truncated, its volumes have another shape
    than the mask, it has not 750 trials, its type is neither int16 nor floating-point, NIfTI
    scaling is set, or a voxel has numbers in some trials only.

    Returns
    -------
    ndarray of int16, [trial: 750, voxel]
        Stored numbers (percent signal change times 300), voxels in the order of
        ``numpy.argwhere(mask)``; the same from both formats. float32 if the
        file holds floating-point numbers: NaN in all trials of voxels without data.
    """
    if not mask.any():
        raise ValueError("the mask marks no voxel")
    file = Path(path)
    betas = (_read_nifti if _is_nifti(file) else _read_hdf5)(file, mask)
    if betas.dtype != np.int16:
        without_data(file, betas, np.argwhere(mask))
    return betas


def inspect_session(
    path: str | os.PathLike[str], mask: npt.NDArray[np.bool_] | None = None
) -> float:
    """Check that a file can hold the betas of a session, of volumes of a mask's shape.

    Returns the share of the mask's voxels that seem to have no data: of a few that are looked at,
    or in a few trials. An `InputError` if the file is missing, unreadable or shorter than its
    header says, holds another number of trials or other volumes, is scaled, holds neither int16 nor
    floating-point numbers, or a voxel looked at has numbers in some trials only.
    """
    file = Path(path)
    stored: Any
    sample: Any
    with ExitStack() as opened:
        if _is_nifti(file):
            stored, sample = _header(file, AGAIN), _sample_nifti
        else:
            stored = array_of(opened.enter_context(open_hdf5(file, AGAIN)), "betas", 4, AGAIN)
            sample = _sample_hdf5
        _check(file, stored, mask, "the subject's mask")
        if _is_nifti(file):
            _require_whole(file, stored)
        if mask is None or not mask.any() or stored.dtype.kind == "i":
            return 0.0
        return float(without_data(file, *sample(file, stored, mask)).mean())


def without_data(
    path: Path, betas: npt.NDArray[Any], places: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tell which voxels, [voxel], are NaN in all trials: nothing was estimated there.

    Betas of one's own have them outside the brain. `places` says where voxels lie, [voxel, axis].
    An `InputError` if a voxel is not finite in some trials only, or infinite.
    """
    wrong = ~np.isfinite(betas)
    empty: npt.NDArray[np.bool_] = np.isnan(betas).all(axis=0)
    wrong[:, empty] = False
    if wrong.any():
        trial, voxel = (int(place) for place in np.argwhere(wrong)[0])
        raise InputError(
            path,
            f"{np.count_nonzero(wrong)} betas of {np.count_nonzero(wrong.any(axis=0))} voxels of "
            "the mask are not finite, while these voxels have numbers in other trials (the first "
            f"is trial {trial} of voxel {tuple(map(int, places[voxel]))}: {betas[trial, voxel]})",
            "Leave these voxels out of the mask, or estimate the session again; a voxel that is "
            "NaN in all trials of a session counts as without data. A file of the data set "
            "itself holds whole numbers only: this one was converted, or is damaged",
        )
    return empty


def _is_nifti(path: Path) -> bool:
    return path.name.endswith((".nii", ".nii.gz"))


def _read_hdf5(path: Path, mask: npt.NDArray[np.bool_]) -> Betas:
    cure = without(path.name)
    with open_hdf5(path, cure) as file:
        stored = array_of(file, "betas", 4, cure)
        betas = _empty(path, stored, mask)
        for voxels, (x, y, z) in _runs(mask):
            betas[:, voxels] = stored[:, z, y, x]
        return betas


def _sample_hdf5(
    _: Path, stored: h5py.Dataset, mask: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Read a few voxels in all trials, or all voxels in a few, as the file is cut in chunks."""
    places = np.argwhere(mask)
    if stored.chunks is not None and 2 * stored.chunks[0] > len(stored):
        places = places[np.linspace(0, len(places) - 1, _SAMPLED).astype(int)]
        return np.stack([stored[:, z, y, x] for x, y, z in places], axis=1), places
    volumes = stored[:: max(len(stored) // _VOLUMES, 1)]
    return volumes.transpose(0, 3, 2, 1)[:, mask], places


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
    stored = _header(path, without(path.name))
    betas = _empty(path, stored, mask)
    places = _places(mask)
    with reading(path, "NIfTI file", without(path.name)), _inflated(path) as file:
        file.seek(stored.offset)
        for first, block in _blocks(file, stored.dtype, mask.size):
            betas[first : first + len(block)] = block[:, places]
        file.read(1)  # The end of a gzip stream is where its checksum is compared.
    return betas


def _places(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return the places of voxels in a volume of a file, which stores x fastest."""
    return np.ravel_multi_index(np.nonzero(mask), mask.shape, order="F")


def _sample_nifti(
    path: Path, stored: Any, mask: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Read the first trials: those behind them would have to be unpacked, too."""
    with reading(path, "NIfTI file", AGAIN), _inflated(path) as file:
        file.seek(stored.offset)
        wanted = _VOLUMES * mask.size
        values = np.frombuffer(file.read(wanted * stored.dtype.itemsize), stored.dtype, wanted)
        return values.reshape(_VOLUMES, mask.size)[:, _places(mask)], np.argwhere(mask)


def _inflated(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path) if path.name.endswith(".gz") else path.open("rb")


def _header(path: Path, cure: str) -> Any:
    """Return what stands for the numbers of a NIfTI file of trials, none of which is read."""
    # nibabel forgets offset and scaling in a loaded header; the proxy keeps them.
    stored: Any = open_image(Nifti1Image, path, cure, n_dims=4).dataobj
    if (stored.slope, stored.inter) != (1.0, 0.0):
        raise InputError(
            path,
            f"scales its numbers by {stored.slope} and shifts them by {stored.inter}, "
            "the data set does neither",
            AS_WRITTEN,
        )
    return stored


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


def _check(path: Path, stored: Any, mask: npt.NDArray[np.bool_] | None, owner: str) -> None:
    """Check that what is stored is a session of volumes of the shape of `owner`, the mask."""
    layout = tuple(map(int, stored.shape))
    *volume, trials = layout[::-1] if isinstance(stored, h5py.Dataset) else layout
    if mask is not None and tuple(volume) != mask.shape:
        raise InputError(
            path,
            f"holds volumes of shape {tuple(volume)}, {owner} has {mask.shape}",
            "Take the betas and the ROI volumes from one functional preparation (space)",
        )
    if trials != numbers.TRIALS_PER_SESSION:
        wanted = numbers.TRIALS_PER_SESSION
        raise InputError(path, f"holds {trials} trials instead of {wanted}", AS_WRITTEN)
    kind = stored.dtype
    if not np.issubdtype(kind, np.floating) and (kind.kind, kind.itemsize) != ("i", 2):
        raise InputError(path, f"holds {kind} instead of int16", AS_WRITTEN)


def _empty(path: Path, stored: Any, mask: npt.NDArray[np.bool_]) -> Betas:
    """Return an array for a session of the mask's volume."""
    _check(path, stored, mask, "the mask")
    size = numbers.TRIALS_PER_SESSION, int(np.count_nonzero(mask))
    if np.issubdtype(stored.dtype, np.floating):
        return np.empty(size, dtype=np.float32)
    return np.empty(size, dtype=np.int16)


def _require_whole(path: Path, stored: Any) -> None:
    """Compare the length that a header promises with the one that ends a gzip file."""
    promised = int(stored.offset) + prod(map(int, stored.shape)) * stored.dtype.itemsize
    with reading(path, "NIfTI file", AGAIN), path.open("rb") as file:
        start = file.read(4)
        file.seek(-4, os.SEEK_END)
        held = int.from_bytes(file.read(4), "little")
    if not path.name.endswith(".gz") or start[3] & _GZIP_EXTRA:
        return
    if held != promised % _GZIP_LENGTH:
        raise InputError(
            path, f"is truncated: its header promises {promised} bytes, its end does not", AGAIN
        )
