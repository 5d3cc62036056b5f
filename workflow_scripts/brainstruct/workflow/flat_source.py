"""On which cortex flatmaps are drawn, and to which surfaces maps are exported.

By the configuration and the files that are there. Evaluated while Snakemake builds
its DAG: names and existence, never content.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brainstruct.config.figures import Flatmaps
from brainstruct.datasets.nsd.layout import HEMISPHERES, Layout

Source = Literal["store", "freesurfer", "fsaverage"]


@dataclass(frozen=True)
class FlatSource:
    """A cortex to draw on.

    `files` are what it is made of, whether they are there or not; none for the
    store that ships with pycortex.
    """

    source: Source
    reason: str  # why this one, for the log
    files: tuple[Path, ...] = ()


def find_source(flatmaps: Flatmaps, layout: Layout, subject: str) -> FlatSource:
    """Choose the cortex of a subject.

    With ``auto``, no filestore (``null``) means the one that ships with pycortex.
    """
    wanted = flatmaps.source
    if wanted == "store":
        return _store(flatmaps, subject, "as configured")
    if wanted == "auto":
        if flatmaps.store is None:
            return _store(flatmaps, subject, "the configuration names pycortex's own filestore")
        if _folder(flatmaps, subject).is_dir():
            return _store(flatmaps, subject, f"{flatmaps.store} has this subject")
    if wanted == "fsaverage":
        return _fsaverage(layout, subject, "as configured")
    patches = [layout.patch_file(subject, side, flatmaps.patch) for side in HEMISPHERES]
    surfaces = patches[0].parent
    # One patch of two is a file that got lost; that is an error of the job, not a choice.
    if any(patch.is_file() for patch in patches):
        return _freesurfer(flatmaps, layout, subject, f"{surfaces} has flat patches")
    if wanted == "freesurfer" and not surfaces.is_dir():
        return _freesurfer(flatmaps, layout, subject, "as configured")
    lacking = f"{surfaces} has no flat patches ({patches[0].name})"
    if wanted == "auto":
        lacking = f"{flatmaps.store} lacks this subject and {lacking}"
    return _fsaverage(layout, subject, lacking)


def _store(flatmaps: Flatmaps, subject: str, reason: str) -> FlatSource:
    if flatmaps.store is None:
        return FlatSource("store", reason)
    folder = _folder(flatmaps, subject)
    files = [
        folder / "surfaces" / f"{kind}_{side}.gii"
        for kind in ("wm", "pia", "flat")
        for side in HEMISPHERES
    ]
    transform = flatmaps.transform.format(subject=subject)
    return FlatSource("store", reason, (*files, folder / "transforms" / transform / "matrices.xfm"))


def _freesurfer(flatmaps: Flatmaps, layout: Layout, subject: str, reason: str) -> FlatSource:
    surfaces = layout.surface_files(subject, flatmaps.patch)
    return FlatSource("freesurfer", reason, (*surfaces, *_depths(layout, subject)))


def _fsaverage(layout: Layout, subject: str, reason: str) -> FlatSource:
    index = [layout.fsaverage_file(subject, side) for side in HEMISPHERES]
    return FlatSource("fsaverage", reason, (*_depths(layout, subject), *index))


def _depths(layout: Layout, subject: str) -> list[Path]:
    return [path for side in HEMISPHERES for path in layout.depth_files(subject, side)]


def _folder(flatmaps: Flatmaps, subject: str) -> Path:
    return Path(flatmaps.store or "") / flatmaps.subject.format(subject=subject)


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
    depths = _depths(layout, subject)
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
