"""On which cortex flatmaps are drawn, and to which surfaces maps are exported.

By the configuration and the files that are there. Evaluated while Snakemake builds
its DAG: names and existence, never content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brainstruct.config.figures import Flatmaps
from brainstruct.datasets.interface import DataSet, HemisphereFiles
from brainstruct.figures.store_names import needed_files, read_if_there

Source = Literal["store", "freesurfer", "fsaverage", "none"]


@dataclass(frozen=True)
class FlatSource:
    """A cortex to draw on.

    `files` are what it is made of, whether they are there or not; none for the
    store that ships with pycortex. `optional` are read where they are there.
    """

    source: Source
    reason: str  # why this one, for the log
    files: tuple[Path, ...] = ()
    optional: tuple[Path, ...] = ()


def find_source(flatmaps: Flatmaps, dataset: DataSet, subject: str) -> FlatSource:
    """Choose the cortex of a subject.

    With ``auto``, no filestore (``null``) means the one that ships with pycortex.
    """
    wanted = flatmaps.source
    if dataset.lie == "nowhere":
        return FlatSource("none", "the places of this data set lie nowhere")
    if wanted == "store":
        return _store(flatmaps, subject, "as configured")
    if wanted == "auto":
        if flatmaps.store is None:
            return _store(flatmaps, subject, "the configuration names pycortex's own filestore")
        if _folder(flatmaps, subject).is_dir():
            return _store(flatmaps, subject, f"{flatmaps.store} has this subject")
    cortex = dataset.cortex_files(subject, flatmaps.patch)
    if wanted == "fsaverage" and cortex:
        return _fsaverage(cortex, "as configured")
    if not cortex:
        return FlatSource("none", "the data set has no cortex; name a filestore in flatmaps.store")
    patches = [half.patch for half in cortex]
    surfaces = patches[0].parent
    # One patch of two is a file that got lost; that is an error of the job, not a choice.
    if any(patch.is_file() for patch in patches):
        return _freesurfer(cortex, f"{surfaces} has flat patches")
    if wanted == "freesurfer" and not surfaces.is_dir():
        return _freesurfer(cortex, "as configured")
    lacking = f"{surfaces} has no flat patches ({patches[0].name})"
    if wanted == "auto":
        lacking = f"{flatmaps.store} lacks this subject and {lacking}"
    return _fsaverage(cortex, lacking)


def _store(flatmaps: Flatmaps, subject: str, reason: str) -> FlatSource:
    if flatmaps.store is None:
        return FlatSource("store", reason)
    folder = _folder(flatmaps, subject)
    needed = needed_files(folder, flatmaps.transform.format(subject=subject))
    return FlatSource("store", reason, tuple(needed), tuple(read_if_there(folder)))


def _freesurfer(cortex: Sequence[HemisphereFiles], reason: str) -> FlatSource:
    surfaces = [path for half in cortex for path in half.surfaces]
    return FlatSource("freesurfer", reason, (*surfaces, *_depths(cortex)))


def _fsaverage(cortex: Sequence[HemisphereFiles], reason: str) -> FlatSource:
    return FlatSource("fsaverage", reason, (*_depths(cortex), *(half.average for half in cortex)))


def _depths(cortex: Sequence[HemisphereFiles]) -> list[Path]:
    return [path for half in cortex for path in half.depths]


def _folder(flatmaps: Flatmaps, subject: str) -> Path:
    return Path(flatmaps.store or "") / flatmaps.subject.format(subject=subject)


@dataclass(frozen=True)
class SurfaceSource:
    """Surfaces for exports: the data set's transforms, or the filestore of flatmaps."""

    source: Literal["dataset", "store", "none"]
    reason: str  # which surfaces these are and why, for logs and readers
    files: tuple[Path, ...] = ()  # transforms that are read
    average: bool = False  # whether the data set can carry the subject to fsaverage
    name: str = ""  # in the filestore, as is the next
    transform: str = ""


def find_surfaces(
    flat: FlatSource, dataset: DataSet, subject: str, flatmaps: Flatmaps
) -> SurfaceSource:
    """Choose the surfaces of a subject.

    The data set's own transforms come first, whatever flatmaps are drawn on:
    they lead to the vertices that everybody has.
    """
    cortex = dataset.cortex_files(subject, flatmaps.patch)
    depths, index = _depths(cortex), [half.average for half in cortex]
    if depths and all(path.is_file() for path in depths):
        average = all(path.is_file() for path in index)
        return SurfaceSource(
            "dataset",
            "surface maps are on the subject's own vertices (fsnative)"
            + (" and on fsaverage" if average else "; fsaverage needs white-to-fsaverage"),
            (*depths, *(index if average else ())),
            average,
        )
    lacking = "the data set has no surfaces"
    if depths:
        lacking = f"the data set's transforms are not there ({depths[0].name} and others)"
    if flat.source == "store":
        name = flatmaps.subject.format(subject=subject)
        return SurfaceSource(
            "store",
            f"surface maps are on the surfaces of the pycortex subject {name}: {lacking}",
            name=name,
            transform=flatmaps.transform.format(subject=subject),
        )
    return SurfaceSource("none", f"there are no surface maps: {lacking}")
