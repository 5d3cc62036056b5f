"""Arrays kept in memory instead of files: HDF5 would take most of the time, and has its own tests.

The layout of files is `FORMAT_VERSION`'s business, not a stage's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr

from brainstruct.store import arrays

_REAL = {name: getattr(arrays, name) for name in ("write_dataset", "read_dataset", "open_dataset")}
_KEPT: dict[Path, xr.Dataset] = {}


def kept(path: Path) -> xr.Dataset:
    """Return what was written under a name."""
    return _KEPT[Path(path)]


def write_dataset(dataset, path, *, provenance=None, chunks=None, compress=()):
    stamped = dataset.load().copy(deep=True)
    stamped.attrs["provenance"] = json.dumps(dict(provenance or {}), sort_keys=True)
    _KEPT[Path(path)] = stamped
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).touch()  # for those who look whether it is there


def open_dataset(path, variables=(), dims=(), copy=None):
    assert copy is None
    found = kept(path).copy(deep=True)
    assert {*variables} <= {*found.variables}
    assert {*dims} <= {*found.dims}
    return found


def read_dataset(path, variables=(), dims=(), *, select=None, only=False, without=None):
    found = open_dataset(path, variables, dims)
    part = found[list(variables)] if only else found.drop_vars(without or [], errors="ignore")
    return part.sel({dim: np.atleast_1d(chosen) for dim, chosen in (select or {}).items()})


_FAKE = {"write_dataset": write_dataset, "read_dataset": read_dataset, "open_dataset": open_dataset}


@contextmanager
def in_memory() -> Iterator[None]:
    """Let all that is imported, before or meanwhile, write and read arrays in memory."""
    _exchange(_REAL, _FAKE)
    try:
        yield
    finally:
        _exchange(_FAKE, _REAL)


def _exchange(old: dict[str, object], new: dict[str, object]) -> None:
    for name, module in [*sys.modules.items()]:
        for function, before in old.items():
            if name != __name__ and vars(module).get(function) is before:
                setattr(module, function, new[function])
