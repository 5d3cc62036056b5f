"""Regions of interest: volumes of label numbers, and the names of the numbers."""

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from brainstruct.datasets.nsd.labels import label_names, numbered, volume_cure
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.volumes import read_volume
from brainstruct.datasets.reading import Family
from brainstruct.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RoiFamily(Family):
    """A family of regions as its volume has it: numbers are [x, y, z], -1 where is no cortex."""

    # Whether neither a table nor the data set's authors name them; then numbers do.
    nameless: bool = False

    @property
    def note(self) -> str:
        """What is to be said of a family without names."""
        return f"{self.name}: no table names its labels; they are called {', '.join(self._some)}"

    @property
    def _some(self) -> list[str]:
        shown = list(self.names.values())
        return shown if len(shown) < 4 else [*shown[:2], "..", shown[-1]]


def read_roi(
    layout: Layout, subject: str, family: str, shape: tuple[int, ...] | None = None
) -> RoiFamily:
    """Read a family of regions, whose volume must have the shape of the others.

    An `InputError` if it has another, or holds anything but whole numbers from -1 on that have
    names, if any have.
    """
    path = layout.roi_file(subject, family)
    cure = volume_cure(path)
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
    marked = [int(number) for number in np.unique(numbers) if number > 0]
    names = label_names(layout, subject, family)
    if names is None:
        return RoiFamily(family, numbers, numbered(family, marked), nameless=True)
    unnamed = sorted(set(marked) - set(names))
    if unnamed:
        tables = layout.label_tables(subject, family)
        table = next((table for table in tables if table.is_file()), tables[0])
        raise InputError(
            path,
            f"holds labels that have no name: {unnamed}",
            f"Name them in the table of labels ({table}), or see that the volume is {family}",
        )
    return RoiFamily(family, numbers, names)


def read_family(layout: Layout, subject: str, family: str, places: xr.Dataset) -> Family:
    """Read a family of regions, as `read_roi`, at places of volumes of their shape."""
    shape = tuple(int(length) for length in places.attrs["volume_shape"])
    found = read_roi(layout, subject, family, shape)
    if found.nameless:
        log.info("%s", found.note)
    at = tuple(places[axis].values for axis in "ijk")
    return Family(found.name, found.numbers[at], found.names)


def read_mask(layout: Layout, subject: str, name: str = "nsdgeneral") -> npt.NDArray[np.bool_]:
    """Read the union of a family's regions as a mask, [x, y, z]; refuse an empty one."""
    mask: npt.NDArray[np.bool_] = read_roi(layout, subject, name).numbers > 0
    if not mask.any():
        raise InputError(
            layout.roi_file(subject, name),
            "marks no voxel",
            "Use another mask (data.mask), or see that the volume is whole",
        )
    return mask
