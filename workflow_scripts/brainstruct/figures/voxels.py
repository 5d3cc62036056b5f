"""Voxel data of the study in the form that flatmaps take."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from brainstruct.brain.labels import family_names
from brainstruct.brain.region_names import distinct_names, region_of
from brainstruct.errors import InputError
from brainstruct.figures.stage import Stage
from brainstruct.figures.surface import Flatmap, check_volume, read_flatmap
from brainstruct.store.files import read_json


def open_flatmap(store: Path, subject: str, space: xr.Dataset) -> Flatmap:
    """Load the flatmap of a subject from the study's store; nothing is written.

    `store` is the file that says the store is ready, and where its flatmaps are; `space` has the
    attribute ``volume_shape``, which the flatmap's has to equal.
    """
    entry = read_entry(store, subject)
    flatmap = read_flatmap(store.parent / entry["flatmap"])
    shape = [int(size) for size in space.attrs["volume_shape"]]
    check_volume(flatmap.volume_shape, shape, entry["transform"])
    return flatmap


def read_entry(store: Path, subject: str) -> dict[str, str]:
    """Return what a study's store says of a subject: source, transform and flatmap."""
    entry = read_json(store, anew(store), what="list of flatmaps").get(subject)
    needed = ("source", "transform", "flatmap")
    if not isinstance(entry, dict) or any(type(entry.get(name)) is not str for name in needed):
        raise InputError(store, f"does not say where the flatmap of {subject} is", anew(store))
    return entry


def anew(store: Path) -> str:
    """Return the cure of a study's store that is damaged; `store` says that it is ready."""
    return f"Delete {store} and run the study again: it and its folder are made anew"


def open_stage(store: Path, subject: str, space: xr.Dataset, title: str = "") -> Stage:
    """Load a subject's flatmap and regions, ready for maps; see `open_flatmap`."""
    return Stage(open_flatmap(store, subject, space), outlines(space), title=title)


def keys_of(index: xr.DataArray, keys: list[str], space: xr.Dataset) -> xr.DataArray:
    """Turn positions in a list of keys, (voxel), into keys; negative ones into ``""``."""
    names = [keys[position] if position >= 0 else "" for position in index.values]
    return placed(xr.DataArray(names, dims="voxel"), space)


def candidates_of(candidate: xr.DataArray, index: xr.DataArray) -> list[str]:
    """Name who may have won each voxel, the winner first; ``""`` where it has none.

    `candidate` is bool, (name, voxel), with names as coordinate; `index` (voxel) says who won.
    """
    keys = [str(key) for key in candidate[candidate.dims[0]].values]
    return [
        " ".join(keys[place] for place in sorted(np.flatnonzero(row), key=lambda one: one != first))
        for first, row in zip(index.values, candidate.values.T, strict=True)
    ]


def placed(values: xr.DataArray, space: xr.Dataset) -> xr.DataArray:
    """Give voxel values the coordinates that say where each voxel lies."""
    return xr.DataArray(values.values, dims="voxel", coords=_coordinates(space))


def _coordinates(space: xr.Dataset) -> dict[str, Any]:
    return {name: ("voxel", space[name].values) for name in ("voxel", "i", "j", "k")}


def outlines(space: xr.Dataset) -> xr.DataArray:
    """Regions to outline, (roi, voxel), bool: labels that differ by a part only are one region.

    V1v and V1d are outlined as V1, FFA-1 and FFA-2 as FFA. Families stay apart: where two have a
    V1, both are outlined, each with its family's name. Absent regions are left out. `space` has
    ``roi_label`` (roi, voxel) and the attribute ``roi_labels``.
    """
    found: dict[tuple[str, str], Any] = {}
    for family, names in family_names(space).items():
        numbers = space["roi_label"].sel(roi=family).values
        for number, name in names.items():
            inside = numbers == number
            if inside.any():
                region = family, region_of(name)
                found[region] = found.get(region, False) | inside
    return xr.DataArray(
        list(found.values()) or [[False] * space.sizes["voxel"]],
        dims=("roi", "voxel"),
        coords={"roi": list(distinct_names(found).values()) or ["none"], **_coordinates(space)},
    )
