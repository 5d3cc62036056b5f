"""The voxels of a subject: where they lie, their regions, and their noise ceilings."""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.brain.labels import family_names
from brainstruct.brain.region_names import region_of
from brainstruct.errors import InputError
from brainstruct.results.available import Names, listed, near
from brainstruct.store.arrays import read_dataset


def read_space(root: Path, subject: str, ceiling: str, roi: Names) -> xr.Dataset:
    """Read the voxels of a subject, of some regions (as for `load_scores`) or all.

    The attribute families names the coordinates that hold the labels of ROI families. ``ceiling``
    is the noise ceiling of the kind asked for; all kinds are there, with their thresholds. An
    `InputError` if there is no such ceiling or region, or several families have it.
    """
    path = root / "ceilings" / f"{subject}.nc"
    stored = read_dataset(path, ["roi_label", "ceiling_ncsnr"], ["voxel"])
    kinds = [str(name) for name in stored.data_vars if str(name).startswith("ceiling_")]
    if f"ceiling_{ceiling}" not in kinds:
        there = ", ".join(kind.removeprefix("ceiling_") for kind in kinds)
        raise InputError(path, f"has no ceiling '{ceiling}' (it has {there})", "Name one of these")
    names = family_names(stored)
    labels = {}
    for family, known in names.items():
        numbers = stored["roi_label"].sel(roi=family).values.tolist()
        labels[family] = np.array([known.get(number, "") for number in numbers], dtype=str)
    thresholds = [name for name in stored.data_vars if str(name).startswith("threshold_")]
    space = stored[[*kinds, *thresholds]].assign(ceiling=stored[f"ceiling_{ceiling}"])
    space["ceiling"].attrs = {"units": "correlation", "long_name": f"noise ceiling ({ceiling})"}
    space = space.assign_coords(
        {
            "subject": ("voxel", np.full(stored.sizes["voxel"], subject)),
            **{family: ("voxel", values) for family, values in labels.items()},
        }
    )
    space.attrs = {"families": list(labels)}
    if roi is None:
        return space
    kept = np.zeros(stored.sizes["voxel"], bool)
    for name in listed(roi):
        kept |= _members(path, name, labels, names, str(stored.attrs["mask"]))
    return space.isel(voxel=np.flatnonzero(kept))


def with_space(part: xr.Dataset, space: xr.Dataset) -> xr.Dataset:
    """Add what `read_space` gives to scores or winners of the same voxels."""
    return part.assign(space.data_vars).assign_coords(space.coords).assign_attrs(space.attrs)


def _members(
    path: Path,
    name: str,
    labels: dict[str, NDArray[np.str_]],
    names: dict[str, dict[int, str]],
    mask: str,
) -> NDArray[np.bool_]:
    n_voxels = len(next(iter(labels.values())))
    if name == mask:
        return np.ones(n_voxels, bool)
    if name in labels:
        return np.asarray(labels[name] != "", bool)
    # What a subject happens to lack must not decide which family is meant.
    parts = {
        family: [
            label
            for label in known.values()
            if name.removeprefix(f"{family}/") in (label, region_of(label))
        ]
        for family, known in names.items()
    }
    having = [family for family, found in parts.items() if found]
    if len(having) > 1:
        raise InputError(
            path,
            f"has '{name}' in several families: {', '.join(having)}",
            f"Name one, or all in a list: {', '.join(f'{family}/{name}' for family in having)}",
        )
    inside = np.zeros(n_voxels, bool)
    for family in having:
        inside |= np.isin(labels[family], parts[family])
    if not inside.any():
        there = sorted({str(one) for values in labels.values() for one in values} - {""})
        regions = sorted({region_of(one) for one in there} - set(there))
        known = [mask, *labels, *regions, *there]
        raise InputError(
            path,
            f"has no voxel in '{name}'{near(name, known)} (it has {', '.join(known)})",
            "Name one of these, or add its ROI volume to data.rois",
        )
    return inside
