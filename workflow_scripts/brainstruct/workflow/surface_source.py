"""To which surfaces a subject's maps are exported: which files are there.

Evaluated while Snakemake builds its DAG: names and existence, never content.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from brainstruct.nsd.layout import HEMISPHERES, Layout
from brainstruct.workflow.flat_source import FlatSource

if TYPE_CHECKING:  # jobs that export have no pydantic
    from brainstruct.config.figures import Flatmaps


@dataclass(frozen=True)
class SurfaceSource:
    """Surfaces for exports: the data set's transforms, or the filestore of flatmaps."""

    source: Literal["nsd", "store", "none"]
    reason: str  # which surfaces these are and why, for logs and readers
    files: tuple[Path, ...] = ()  # transforms that are read
    average: bool = False  # whether the data set can carry the subject to fsaverage
    name: str = ""  # in the filestore, as is the next
    transform: str = ""


def find_surfaces(
    flat: FlatSource, layout: Layout, subject: str, flatmaps: Flatmaps
) -> SurfaceSource:
    """Choose the surfaces of a subject.

    The data set's own transforms come first, whatever flatmaps are drawn on:
    they lead to the vertices that everybody has.
    """
    depths = [path for side in HEMISPHERES for path in layout.depth_files(subject, side)]
    index = [layout.fsaverage_file(subject, side) for side in HEMISPHERES]
    if all(path.is_file() for path in depths):
        average = all(path.is_file() for path in index)
        return SurfaceSource(
            "nsd",
            "surface maps are on the subject's own vertices (fsnative)"
            + (" and on fsaverage" if average else "; fsaverage needs white-to-fsaverage"),
            (*depths, *(index if average else ())),
            average,
        )
    lacking = f"the NSD's transforms are not there ({depths[0].name} and others)"
    if flat.source == "store":
        name = flatmaps.subject.format(subject=subject)
        return SurfaceSource(
            "store",
            f"surface maps are on the surfaces of the pycortex subject {name}: {lacking}",
            name=name,
            transform=flatmaps.transform.format(subject=subject),
        )
    return SurfaceSource("none", f"there are no surface maps: {lacking}")
