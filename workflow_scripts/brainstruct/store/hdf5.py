"""HDF5 files that others wrote: read without locks, and never out of another file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import h5py

from brainstruct.errors import InputError
from brainstruct.store.faults import reading

_WHOLE = "Put the whole array into the file itself"


@contextmanager
def open_hdf5(path: str | os.PathLike[str], cure: str) -> Iterator[h5py.File]:
    """Open a file for the block, in which all that goes wrong is the file's; see `reading`."""
    with reading(path, "HDF5 file", cure), h5py.File(path, "r", locking=False) as file:
        yield file


def array_of(file: h5py.File, name: str, n_dims: int, cure: str) -> h5py.Dataset:
    """Return an array of a file; nothing but its header is read.

    An `InputError` if there is none of that name and so many dimensions, or it lies, all or in
    part, in another file.
    """
    path = file.filename
    link = file.get(name, getlink=True) if name in file.keys() else None  # noqa: SIM118
    if link is not None and not isinstance(link, h5py.HardLink):
        raise InputError(path, f"has in place of {name} a link to somewhere else", _WHOLE)
    stored = None if link is None else file[name]
    if not isinstance(stored, h5py.Dataset):
        raise InputError(path, f"has no data set {name}", cure)
    if stored.external or stored.is_virtual:
        raise InputError(path, f"has the numbers of {name} in other files", _WHOLE)
    if stored.shape is None or stored.ndim != n_dims:
        shape = "no shape" if stored.shape is None else f"shape {stored.shape}"
        fault = f"{name} has {shape} instead of {n_dims} dimensions"
        raise InputError(path, fault, cure)
    return stored
