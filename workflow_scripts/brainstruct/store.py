"""Labelled arrays and tables on disk: published whole or not at all.

Arrays are NetCDF4 files (HDF5 underneath) written from xarray objects; tables
are tab-separated text. Every file is written beside its final name, synced,
and renamed into place, so a reader never meets half a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from brainstruct import FORMAT_VERSION, __version__
from brainstruct.errors import InputError


@contextmanager
def publish(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path whose file becomes `path` if the block succeeds.

    Parameters
    ----------
    path : path
        The final name. Its folder is created if needed.

    Yields
    ------
    pathlib.Path
        A name in the same folder (so that the rename is atomic), with the same
        suffix (so that writers that look at the suffix behave).
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{final.name}.{os.getpid()}.part{final.suffix}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(final)
        _sync(final.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Publish a text file in UTF-8 with Unix line ends."""
    with publish(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(content: object, path: str | os.PathLike[str]) -> None:
    """Publish `content` as indented JSON with sorted keys."""
    write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", path)


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Publish a data frame as tab-separated text, without its index.

    Floating-point numbers are written with nine significant digits (float32
    round trip); missing values as ``n/a``, as BIDS does.
    """
    with publish(path) as temporary:
        table.to_csv(
            temporary, sep="\t", index=False, na_rep="n/a", float_format="%.9g", lineterminator="\n"
        )


def read_table(
    path: str | os.PathLike[str], columns: Iterable[str] = (), **options: Any
) -> pd.DataFrame:
    """Read a table written by `write_table`.

    Parameters
    ----------
    path : path
        The file.
    columns : iterable of str
        Columns that must be present.
    **options
        Passed to `pandas.read_csv`.

    Raises
    ------
    InputError
        If the file is missing, unreadable or lacks a column.
    """
    _require(path)
    try:
        table = pd.read_csv(path, sep="\t", na_values=["n/a"], keep_default_na=False, **options)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(path, f"is not a readable table ({error})", _rebuild(path)) from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(path, f"lacks the columns {', '.join(missing)}", _rebuild(path))
    return table


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
    encoding: dict[str, dict[str, Any]] = {}
    for name, lengths in (chunks or {}).items():
        variable = dataset[name]
        encoding.setdefault(name, {})["chunksizes"] = tuple(
            min(lengths.get(str(dim), size), size)
            for dim, size in zip(variable.dims, variable.shape, strict=True)
        )
    for name in compress:
        encoding.setdefault(name, {}).update(zlib=True, complevel=4, shuffle=True)
    stamped = dataset.assign_attrs(
        brainstruct_version=__version__,
        brainstruct_format=FORMAT_VERSION,
        provenance=json.dumps(dict(provenance or {}), sort_keys=True, ensure_ascii=False),
    )
    with publish(path) as temporary:
        stamped.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)


def open_dataset(
    path: str | os.PathLike[str], variables: Iterable[str] = (), dims: Iterable[str] = ()
) -> xr.Dataset:
    """Open a dataset written by `write_dataset`, lazily.

    Use as a context manager, and `load` what is needed: slabs that are not
    touched are not read.

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
    _require(path)
    try:
        dataset = xr.open_dataset(path, engine="h5netcdf")
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(path, f"is damaged or not NetCDF4 ({error})", _rebuild(path)) from error
    missing = [name for name in variables if name not in dataset.variables]
    missing += [name for name in dims if name not in dataset.dims]
    if missing:
        dataset.close()
        raise InputError(path, f"lacks {', '.join(missing)}", _rebuild(path))
    return dataset


def read_dataset(
    path: str | os.PathLike[str], variables: Iterable[str] = (), dims: Iterable[str] = ()
) -> xr.Dataset:
    """Read a whole dataset into memory; see `open_dataset`."""
    with open_dataset(path, variables, dims) as dataset:
        try:
            return dataset.load()
        except (OSError, RuntimeError) as error:
            raise InputError(path, f"is damaged ({error})", _rebuild(path)) from error


def provenance(dataset: xr.Dataset) -> dict[str, Any]:
    """Return what the content of a stored dataset depends on."""
    stored: dict[str, Any] = json.loads(dataset.attrs.get("provenance", "{}"))
    return stored


def _require(path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file():
        raise InputError(path, "does not exist", _rebuild(path))


def _rebuild(path: str | os.PathLike[str]) -> str:
    return f"Delete it if it is there and rebuild it: snakemake {path}"
