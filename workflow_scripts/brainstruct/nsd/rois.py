"""Regions of interest: volumes of label numbers, and the names of the numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from brainstruct.errors import InputError
from brainstruct.nsd.labels import label_names
from brainstruct.nsd.layout import Layout
from brainstruct.nsd.volumes import read_volume


@dataclass(frozen=True)
class RoiFamily:
    """One family of regions, which do not overlap.

    Attributes
    ----------
    name : str
        For example ``floc-faces``.
    numbers : ndarray of int16, [x, y, z]
        Label number; 0 and below: unlabelled (-1: not cortex).
    names : dict
        Number -> name. A subject may lack some of them: they mark no voxel.
    """

    name: str
    numbers: npt.NDArray[np.int16]
    names: dict[int, str]


def read_roi(
    layout: Layout, subject: str, family: str, shape: tuple[int, ...] | None = None
) -> RoiFamily:
    """Read a family of regions.

    Parameters
    ----------
    layout : Layout
        Says where the files lie.
    subject, family : str
        For example ``subj01`` and ``floc-faces``.
    shape : tuple of int, optional
        Shape that the volume must have.

    Raises
    ------
    InputError
        If the volume is missing, damaged or of another shape, or holds
        anything but whole numbers from -1 on that have names.
    """
    path = layout.roi_file(subject, family)
    cure = f"Download the roi folder of {subject} again, or leave {family} out of the configuration"
    stored = read_volume(path, shape, cure)
    numbers = np.zeros(stored.shape, dtype=np.int16)
    finite = np.isfinite(stored)
    np.copyto(numbers, stored, casting="unsafe", where=finite & (np.abs(stored) < 2**15))
    wrong = (numbers != stored) | (numbers < -1)
    if wrong.any():
        first = tuple(int(place) for place in np.argwhere(wrong)[0])
        raise InputError(
            path,
            f"{np.count_nonzero(wrong)} voxels hold no label number "
            f"(the first is voxel {first}: {stored[first]})",
            cure,
        )
    names = label_names(layout, subject, family)
    unnamed = sorted({int(number) for number in np.unique(numbers) if number > 0} - set(names))
    if unnamed:
        raise InputError(
            path,
            f"holds labels that have no name: {unnamed}",
            f"Check the table of labels ({layout.label_tables(subject, family)[0]})",
        )
    return RoiFamily(family, numbers, names)


def read_mask(layout: Layout, subject: str, name: str = "nsdgeneral") -> npt.NDArray[np.bool_]:
    """Read the union of a family's regions as a mask, [x, y, z].

    Raises
    ------
    InputError
        As `read_roi`, and if the mask is empty.
    """
    mask: npt.NDArray[np.bool_] = read_roi(layout, subject, name).numbers > 0
    if not mask.any():
        raise InputError(
            layout.roi_file(subject, name),
            "marks no voxel",
            "Use another mask, or download it again",
        )
    return mask


def label_voxels(
    layout: Layout, subject: str, voxels: xr.Dataset, families: Sequence[str]
) -> xr.Dataset:
    """Add the labels of families of regions to voxels.

    Parameters
    ----------
    layout : Layout
        Says where the files lie.
    subject : str
        Whose voxels they are.
    voxels : xarray.Dataset
        Coordinates i, j, k on voxel; attribute volume_shape.
    families : sequence of str
        Names of their volumes.

    Returns
    -------
    xarray.Dataset
        `voxels`, with ``roi_label`` (roi, voxel), int16: label number, 0 or
        below without a label; and the attribute roi_labels (JSON: family ->
        number -> name).

    Raises
    ------
    InputError
        As `read_roi`.
    """
    shape = tuple(int(length) for length in voxels.attrs["volume_shape"])
    place = tuple(voxels[axis].values for axis in ("i", "j", "k"))
    found = [read_roi(layout, subject, name, shape) for name in families]
    labels = np.array([family.numbers[place] for family in found], dtype=np.int16)
    return (
        voxels.assign_coords(roi=np.array([family.name for family in found], dtype=str))
        .assign(roi_label=(("roi", "voxel"), labels.reshape(len(found), voxels.sizes["voxel"])))
        .assign_attrs(roi_labels=json.dumps({family.name: family.names for family in found}))
    )
