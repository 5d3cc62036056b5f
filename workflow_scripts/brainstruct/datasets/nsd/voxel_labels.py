"""Labels of regions beside a subject's voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from brainstruct.brain.labels import names_as_text
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.rois import read_roi


def label_voxels(
    layout: Layout, subject: str, voxels: xr.Dataset, families: Sequence[str]
) -> xr.Dataset:
    """Add the labels of families of regions to voxels.

    Parameters
    ----------
    voxels : xarray.Dataset
        Coordinates i, j, k on voxel; attribute volume_shape.
    families : sequence of str
        Names of ROI volumes.

    Returns
    -------
    xarray.Dataset
        `voxels`, with ``roi_label`` (roi, voxel), int16: label number, 0 or
        below without a label; and the attribute roi_labels, see
        `brainstruct.brain.labels.family_names`.

    Raises
    ------
    InputError
        As `brainstruct.datasets.nsd.rois.read_roi`.
    """
    shape = tuple(int(length) for length in voxels.attrs["volume_shape"])
    place = tuple(voxels[axis].values for axis in ("i", "j", "k"))
    found = [read_roi(layout, subject, name, shape) for name in families]
    labels = np.array([family.numbers[place] for family in found], dtype=np.int16)
    return (
        voxels.assign_coords(roi=np.array([family.name for family in found], dtype=str))
        .assign(roi_label=(("roi", "voxel"), labels.reshape(len(found), voxels.sizes["voxel"])))
        .assign_attrs(roi_labels=names_as_text({family.name: family.names for family in found}))
    )
