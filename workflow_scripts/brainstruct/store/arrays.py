"""Labelled arrays on disk: NetCDF4 files (HDF5 underneath), written from xarray objects.

They appear whole or not at all (`brainstruct.store.publishing`).
What happens to a file afterwards (a bit that flips, a copy that was cut) is
noticed by whoever reads it: numbers carry HDF5's Fletcher-32 per chunk,
everything else a digest.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import H5NetCDFStore

from brainstruct import FORMAT_VERSION, __version__
from brainstruct.errors import InputError
from brainstruct.store.files import rebuild, require_file
from brainstruct.store.publishing import publish


def write_dataset(
    dataset: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    provenance: Mapping[str, object] | None = None,
    chunks: Mapping[str, Mapping[str, int]] | None = None,
    compress: Iterable[str] = (),
) -> None:
    """Publish a dataset as NetCDF4.

    Parameters
    ----------
    dataset : xarray.Dataset
        Every dimension must have coordinates: no array is stored naked.
    path : path
        The final name, ``*.nc``.
    provenance : mapping, optional
        What the content depends on (hashes, revisions, seeds, options). Stored
        as one JSON attribute, ``provenance``.
    chunks : mapping, optional
        Variable -> dimension -> chunk length; dimensions left out are whole.
    compress : iterable of str
        Variables to compress (deflate 4, shuffle).

    Raises
    ------
    ValueError
        If a dimension has no coordinate.
    """
    naked = [str(dim) for dim in dataset.dims if dim not in dataset.coords]
    if naked:
        raise ValueError(f"dimensions without coordinates: {', '.join(naked)}")
    stamped = dataset.assign_attrs(
        brainstruct_version=__version__,
        brainstruct_format=FORMAT_VERSION,
        provenance=json.dumps(dict(provenance or {}), sort_keys=True, ensure_ascii=False),
    )
    stamped.attrs[_CHECKSUMS] = json.dumps(
        {"structure": _structure(stamped), "values": _digests(stamped)}, sort_keys=True
    )
    _load_hdf5()
    # In memory first: writing a file of its own, HDF5 keeps quiet about a disk that fills up.
    content = BytesIO()
    # The older format of HDF5, which is the default, has no checksums on its own structures.
    with closing(H5NetCDFStore.open(content, mode="w", driver_kwds={"libver": "v110"})) as target:
        stamped.dump_to_store(target, encoding=_encoding(stamped, chunks or {}, compress))
    with publish(path) as temporary:
        temporary.write_bytes(content.getbuffer())


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
        if _has_fletcher(variable):
            encoding[str(key)]["fletcher32"] = True
            encoding[str(key)].setdefault("chunksizes", _chunks(variable))
    return encoding


def open_dataset(
    path: str | os.PathLike[str], variables: Iterable[str] = (), dims: Iterable[str] = ()
) -> xr.Dataset:
    """Open a dataset written by `write_dataset`, lazily.

    Use as a context manager, for attributes, and for numbers that are too many to
    be read at once. Nothing else verifies text, and names a file with damaged
    numbers, but `read_dataset`.

    Parameters
    ----------
    path : path
        The file.
    variables, dims : iterable of str
        Variables and dimensions that must be present.

    Raises
    ------
    InputError
        If the file is missing, damaged or not of the expected structure.
    """
    require_file(path)
    _load_hdf5()
    try:
        dataset = xr.open_dataset(path, engine="h5netcdf")
    except (ImportError, MemoryError):  # no fault of the file
        raise
    # A flipped bit in a header surfaces as whatever HDF5, h5netcdf or xarray trip over.
    except Exception as error:
        raise InputError(path, f"is damaged or not NetCDF4 ({error})", rebuild(path)) from error
    if fault := _fault(dataset, variables, dims):
        dataset.close()
        raise InputError(path, fault, rebuild(path))
    return dataset


def _fault(dataset: xr.Dataset, variables: Iterable[str], dims: Iterable[str]) -> str:
    """Say what is wrong with a dataset; put the digests of its values into its encoding."""
    try:
        checksums = json.loads(str(dataset.attrs.pop(_CHECKSUMS)))
        expected = checksums["structure"]
        dataset.encoding[_CHECKSUMS] = checksums["values"]
    except (KeyError, ValueError, TypeError):
        return "has no readable checksums"
    if _structure(dataset) != expected:
        return "is damaged (names, sizes or attributes differ)"
    missing = [name for name in variables if name not in dataset.variables]
    missing += [name for name in dims if name not in dataset.dims]
    return f"lacks {', '.join(missing)}" if missing else ""


def read_dataset(
    path: str | os.PathLike[str],
    variables: Iterable[str] = (),
    dims: Iterable[str] = (),
    *,
    select: Mapping[str, Any] | None = None,
    only: bool = False,
) -> xr.Dataset:
    """Read a dataset, or a part of it, into memory; `path`, `variables`, `dims` as `open_dataset`.

    Parameters
    ----------
    select : mapping, optional
        Dimension -> labels that are read; slabs that are not touched are not read.
        Text is read and verified whole, then selected from.
    only : bool
        Read `variables` and their coordinates, and nothing else.

    Raises
    ------
    InputError
        If the file is missing, damaged, not of the expected structure, or lacks a label.
    """
    wanted = list(variables)
    labels = {dim: np.atleast_1d(chosen) for dim, chosen in (select or {}).items()}
    with open_dataset(path, wanted, dims) as dataset:
        digests = dataset.encoding[_CHECKSUMS]
        part = dataset[wanted] if only else dataset
        try:
            # Before anything is selected: these have one digest for all of their values.
            damaged = [
                name for name, digest in _digests(part).items() if digests.get(name) != digest
            ]
            if damaged:
                fault = f"is damaged (values of {', '.join(damaged)})"
            elif absent := _absent(part, labels):
                fault = f"lacks {'; '.join(absent)}"
            else:
                return part.sel(labels).load()
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(path, f"is damaged ({error})", rebuild(path)) from error
    raise InputError(path, fault, rebuild(path))


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


_CHECKSUMS = "checksums"
"""Attribute with the digests of what Fletcher-32 does not cover."""

_CHUNK_BYTES = 1 << 24
"""Chunks are about so large where nothing else is said: each is read and verified whole."""


def _chunks(variable: xr.Variable) -> tuple[int, ...]:
    """Cut a variable along its first dimension."""
    row = max(variable.nbytes // variable.shape[0], 1)
    rows = min(max(_CHUNK_BYTES // row, 1), variable.shape[0])
    return (int(rows), *variable.shape[1:])


def _is_numeric(variable: xr.Variable) -> bool:
    return variable.dtype.kind in "biuf"


def _has_fletcher(variable: xr.Variable) -> bool:
    return _is_numeric(variable) and variable.ndim > 0 and variable.size > 0


def _structure(dataset: xr.Dataset) -> str:
    """Digest of names, dimensions, kinds and attributes: all but the values of variables."""
    variables = {
        str(name): [
            list(variable.dims),
            list(variable.shape),
            str(variable.dtype) if _is_numeric(variable) else "text",
            _plain(variable.attrs),
        ]
        for name, variable in dataset.variables.items()
    }
    content = json.dumps([variables, sorted(dataset.coords), _plain(dataset.attrs)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _plain(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Attributes as they come back from a file: numbers as lists of plain numbers."""
    return {str(name): np.ravel(value).tolist() for name, value in attributes.items()}


def _digests(dataset: xr.Dataset) -> dict[str, str]:
    """Digest of the values of each variable that Fletcher-32 does not cover: text, scalars."""
    return {
        str(name): hashlib.sha256(
            json.dumps([str(value) for value in np.ravel(variable.values)]).encode()
        ).hexdigest()
        for name, variable in dataset.variables.items()
        if not _has_fletcher(variable)
    }


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
