"""Labelled arrays on disk: NetCDF4 files (HDF5 underneath), written from xarray objects.

They appear whole or not at all (`brainstruct.store.publishing`), and are read without locks. What
happens to a file afterwards (a bit that flips, a copy that was cut) is noticed by whoever reads it:
numbers carry HDF5's Fletcher-32 per chunk, everything else a seal (`brainstruct.store.sealing`).
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import H5NetCDFStore

from brainstruct import FORMAT_VERSION, __version__
from brainstruct.errors import InputError
from brainstruct.store.faults import reading
from brainstruct.store.files import rebuild, require_file
from brainstruct.store.publishing import publish
from brainstruct.store.sealing import require_seal, sealed


def write_dataset(
    dataset: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    provenance: Mapping[str, object] | None = None,
    chunks: Mapping[str, Mapping[str, int]] | None = None,
    compress: Iterable[str] = (),
) -> None:
    """Publish a dataset as NetCDF4, ``*.nc``.

    The attribute ``provenance`` says in JSON what the content depends on (hashes, revisions, seeds,
    options). `chunks` are variable -> dimension -> length; dimensions left out are whole. Variables
    to `compress` are deflated (4, shuffle). A `ValueError` if a dimension has no coordinate: no
    array is stored naked.
    """
    naked = [str(dim) for dim in dataset.dims if dim not in dataset.coords]
    if naked:
        raise ValueError(f"dimensions without coordinates: {', '.join(naked)}")
    stamped = dataset.assign_attrs(
        brainstruct_version=__version__,
        brainstruct_format=FORMAT_VERSION,
        provenance=json.dumps(dict(provenance or {}), sort_keys=True, ensure_ascii=False),
    )
    _load_hdf5()
    # In memory first: writing a file of its own, HDF5 keeps quiet about a disk that fills up.
    content = BytesIO()
    # The older format of HDF5, which is the default, has no checksums on its own structures.
    with closing(H5NetCDFStore.open(content, mode="w", driver_kwds={"libver": "v110"})) as target:
        stamped.dump_to_store(target, encoding=_encoding(stamped, chunks or {}, compress))
    with publish(path) as temporary, temporary.open("wb") as file:
        file.write(content.getbuffer())
        file.write(sealed(content))


def _encoding(
    dataset: xr.Dataset, chunks: Mapping[str, Mapping[str, int]], compress: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Say of each variable how it is stored: its chunks, compression and checksums."""
    encoding: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name, lengths in chunks.items():
        encoding[name]["chunksizes"] = tuple(
            min(lengths.get(str(dim), size), size) for dim, size in dataset[name].sizes.items()
        )
    for name in compress:
        encoding[name].update(zlib=True, complevel=4, shuffle=True)
    for key, variable in dataset.variables.items():
        if variable.dtype.kind in "biuf" and variable.ndim and variable.size:  # has Fletcher32
            encoding[str(key)]["fletcher32"] = True
            encoding[str(key)].setdefault("chunksizes", _chunks(variable))
    return encoding


def open_dataset(
    path: str | os.PathLike[str],
    variables: Iterable[str] = (),
    dims: Iterable[str] = (),
    copy: IO[bytes] | None = None,
) -> xr.Dataset:
    """Open a dataset written by `write_dataset`, lazily; variables and dims must be there.

    Use as a context manager, for attributes, and for numbers that are too many to be read at once.
    Nothing else names a file with damaged numbers but `read_dataset`. An open `copy` is read in the
    file's place. An `InputError` if it is missing, damaged or not of the expected structure.
    """
    require_file(path)
    _load_hdf5()
    require_seal(path, rebuild(path), copy)
    with reading(path, "NetCDF4 file", rebuild(path)):
        dataset = xr.open_dataset(copy or path, engine="h5netcdf", driver_kwds=_UNLOCKED)
    missing = [name for name in variables if name not in dataset.variables]
    missing += [name for name in dims if name not in dataset.dims]
    if missing:
        dataset.close()
        raise InputError(path, f"lacks {', '.join(missing)}", rebuild(path))
    return dataset


def read_dataset(
    path: str | os.PathLike[str],
    variables: Iterable[str] = (),
    dims: Iterable[str] = (),
    *,
    select: Mapping[str, Any] | None = None,
    only: bool = False,
    without: str | None = None,
) -> xr.Dataset:
    """Read a dataset, or a part of it, into memory; variables and dims as in `open_dataset`.

    Of dimensions to `select`, these labels are read; slabs that are not touched are not read, text
    is read whole, then selected from. `only`: variables, their coordinates, and nothing else;
    `without`: all but this one, if it is there. An `InputError` if the file is missing, damaged,
    not of the expected structure, or lacks a label.
    """
    wanted = list(variables)
    labels = {dim: np.atleast_1d(chosen) for dim, chosen in (select or {}).items()}
    with (
        open_dataset(path, wanted, dims) as dataset,
        reading(path, "NetCDF4 file", rebuild(path)),
    ):
        part = dataset[wanted] if only else dataset.drop_vars(without or [], errors="ignore")
        if absent := _absent(part, labels):
            raise InputError(path, f"lacks {'; '.join(absent)}", rebuild(path))
        return part.sel(labels).load()


def _absent(dataset: xr.Dataset, labels: Mapping[str, NDArray[Any]]) -> list[str]:
    """Name the labels that a dataset lacks, the first few of each dimension."""
    found = []
    for dim, chosen in labels.items():
        lacking = chosen[~np.isin(chosen, dataset[dim].values)].tolist()
        if lacking:
            more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            found.append(f"{dim} {', '.join(map(str, lacking[:3]))}{more}")
    return found


def _load_hdf5() -> None:
    """Import what h5netcdf would: if that finds no memory, h5netcdf calls it not installed."""
    import h5py  # noqa: F401


_UNLOCKED = {"locking": False}
"""Files appear whole and are never changed; some network disks refuse every lock."""

_CHUNK_BYTES = 1 << 24
"""Chunks are about so large where nothing else is said: each is read and verified whole."""


def _chunks(variable: xr.Variable) -> tuple[int, ...]:
    """Cut a variable along its first dimension."""
    row = max(variable.nbytes // variable.shape[0], 1)
    rows = min(max(_CHUNK_BYTES // row, 1), variable.shape[0])
    return (int(rows), *variable.shape[1:])


def first_damaged(paths: Iterable[str | os.PathLike[str]]) -> InputError | None:
    """Read every stored dataset among `paths`; return what is wrong with the first bad one.

    A file of any kind that is not there is bad, too.
    """
    for path in map(Path, paths):
        if not path.exists():
            return InputError(
                path,
                "has gone while it was needed",
                "Bring it back, or run again if this workflow makes it",
            )
        if path.suffix == ".nc":
            try:
                read_dataset(path)
            except InputError as error:
                return error
    return None


def provenance(dataset: xr.Dataset) -> dict[str, Any]:
    """Return what the content of a stored dataset depends on."""
    stored: dict[str, Any] = json.loads(dataset.attrs.get("provenance", "{}"))
    return stored
