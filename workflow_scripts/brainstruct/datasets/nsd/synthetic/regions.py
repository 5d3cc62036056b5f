"""Makes the ROI families of the NSD from named regions of an anatomy."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import xarray as xr

from brainstruct.brain.labels import names_from_text
from brainstruct.datasets.nsd.labels import LABELS
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.nifti import write_volume
from brainstruct.datasets.reading import SIDES
from brainstruct.errors import InputError
from brainstruct.store.files import write_text
from brainstruct.store.resources import table_beside

NOT_CORTEX = -1

FAMILIES = tuple(family for family in LABELS if family not in ("nsdgeneral", "Kastner2015"))

ATLASES: tuple[str, ...] = ("nsdgeneral", "streams")
"""Families whose names also stand with fsaverage."""

REGION_LABELS: dict[str, dict[str, str]] = table_beside(__file__, "regions.toml")
"""Name in the anatomy -> family -> label; the rest of the labels stays absent."""

EARLY: tuple[str, ...] = ("V1", "V2", "V3")
"""Regions that the NSD cuts into a ventral (v) and a dorsal (d) half."""


@dataclass(frozen=True)
class Anatomy:
    """A checked anatomy, in NSD's axis order [i, j, k]."""

    label: npt.NDArray[np.int16]  # region number, 0 outside
    names: dict[int, str]  # number -> name
    cortex: npt.NDArray[np.bool_]
    hemisphere: npt.NDArray[np.int8]  # 0 left, 1 right

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Self:
        """Read an anatomy from `label`, `cortex`, `hemisphere` (i, j, k) and attribute `names`.

        An `InputError` if a part is missing, a label has no name, or no voxel has one.
        """
        cure = "Build the anatomy again"
        there = {*dataset, *dataset.attrs}
        missing = [name for name in ("label", "cortex", "hemisphere", "names") if name not in there]
        if missing:
            raise InputError("anatomy", f"lacks {', '.join(missing)}", cure)
        ordered = dataset.transpose("i", "j", "k")
        label = ordered["label"].to_numpy().astype(np.int16)
        names = names_from_text(dataset.attrs["names"])
        unnamed = set(np.unique(label[label > 0]).tolist()) - set(names)
        if unnamed or not (label > 0).any():
            raise InputError("anatomy", f"has unnamed labels {sorted(unnamed)} or none", cure)
        return cls(
            label=label,
            names=names,
            cortex=ordered["cortex"].to_numpy().astype(bool) | (label > 0),
            hemisphere=ordered["hemisphere"].to_numpy().astype(np.int8),
        )

    def region(self, name: str) -> npt.NDArray[np.bool_]:
        """Return the voxels of a region, [i, j, k]; none if the anatomy lacks it."""
        numbers = [number for number, known in self.names.items() if known == name]
        return np.asarray(np.isin(self.label, numbers))


def draw_families(anatomy: Anatomy) -> dict[str, npt.NDArray[np.float64]]:
    """Return the volumes of `FAMILIES`: -1 outside cortex, 0 unlabelled, label numbers."""
    volumes = {name: np.where(anatomy.cortex, 0.0, NOT_CORTEX) for name in FAMILIES}
    for region, labels in REGION_LABELS.items():
        for family, label in labels.items():
            volumes[family][anatomy.region(region)] = _number(family, label)
    visual = volumes["prf-visualrois"]
    for region in EARLY:
        inside = anatomy.region(region)
        for half, voxels in zip("vd", _halves(inside), strict=True):
            visual[voxels] = _number("prf-visualrois", f"{region}{half}")
        volumes["streams"][inside] = _number("streams", "early")
    _draw_eccentricity(volumes["prf-eccrois"], visual > 0)
    return volumes


def write_families(
    layout: Layout,
    subject: str,
    volumes: dict[str, npt.NDArray[np.float64]],
    hemisphere: npt.NDArray[np.int8],
) -> None:
    """Write each family for both hemispheres and for each, and the names of its labels."""
    for family, volume in volumes.items():
        write_volume(volume, layout.roi_file(subject, family))
        for number, side in enumerate(SIDES):
            half = np.where(hemisphere == number, volume, NOT_CORTEX)
            write_volume(half, layout.roi_file(subject, family, side))
        lines = ["0 Unknown", *(f"{number} {name}" for number, name in LABELS[family].items())]
        own, average = layout.label_tables(subject, family)
        for path in (own, average) if family in ATLASES else (own,):
            write_text("\n".join(lines) + "\n", path)


def _number(family: str, label: str) -> int:
    return next(number for number, name in LABELS[family].items() if name == label)


def _halves(inside: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Cut a region at its median height."""
    height = np.broadcast_to(np.arange(inside.shape[2]), inside.shape)
    middle = np.median(height[inside]) if inside.any() else 0
    return inside & (height < middle), inside & (height >= middle)


def _draw_eccentricity(volume: npt.NDArray[np.float64], visual: npt.NDArray[np.bool_]) -> None:
    """Label visual voxels in bands of equal size from back (fovea) to front (periphery)."""
    if not visual.any():
        return
    bands = sorted(LABELS["prf-eccrois"])
    depth = np.broadcast_to(np.arange(visual.shape[1])[:, None], visual.shape)[visual]
    bounds = np.quantile(depth, np.linspace(0, 1, len(bands), endpoint=False)[1:])
    volume[visual] = np.array(bands)[np.searchsorted(bounds, depth, side="right")]
