"""Builds the flatmap of every subject of a study, each on the cortex chosen for it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from brainstruct.brain.hemisphere import Pair
from brainstruct.datasets.files import require_files
from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.places import volume_of
from brainstruct.figures.cortex_store import find_subject, use_store
from brainstruct.figures.halves import read_alignment, read_stored
from brainstruct.figures.own_cortex import average_flatmap, own_flatmap, stored_flatmap
from brainstruct.figures.store_import import import_subject
from brainstruct.figures.store_names import name_in_store
from brainstruct.figures.surface import Flatmap, write_flatmap
from brainstruct.store.fingerprint import sha256_of

_SMOOTHED = 20  # as pycortex itself does

_OTHERWISE = (
    ". Or draw on another cortex: flatmaps.source in config/README.md. Flatmaps from the data "
    "set need transforms; without FreeSurfer's surfaces and flat patches they are drawn on "
    "fsaverage5"
)


@dataclass(frozen=True)
class Cortex:
    """The cortex that a subject's flatmap shows.

    `source` is ``store``, ``freesurfer`` or ``fsaverage``, `reason` says why this one; it is made
    of `files`, or in the user's filestore has a name and a transform.
    """

    source: str
    reason: str
    files: list[str]
    name: str
    transform: str


def prepare_flatmaps(
    folder: str | os.PathLike[str],
    cortices: Mapping[str, Cortex],
    dataset: DataSet,
    *,
    mask: str,
    store: str | None,
    patch: str,
    height: int,
) -> dict[str, dict[str, str]]:
    """Build the study's store and flatmaps.

    The data set is read for the last two sources, with `mask`, the ROI volume of the analysed
    voxels, and `patch`, the name of FreeSurfer's patches; `store` is the user's filestore, `None`
    for pycortex's own. Returns subject -> ``source``, ``transform``, ``flatmap`` (a file in
    `folder`) and its ``sha256``, by which drawings notice that it is another one. An `InputError`
    if a subject lacks files, or they do not belong together.
    """
    root = Path(folder).resolve()
    ready: dict[str, dict[str, str]] = {}
    drawn: dict[tuple[str, str], Path] = {}
    stored = [cortex for cortex in cortices.values() if cortex.source == "store"]
    for name in dict.fromkeys(cortex.name for cortex in stored):
        transforms = dict.fromkeys(one.transform for one in stored if one.name == name)
        drawn |= prepare_stored(root, find_subject(store, name), list(transforms), height)
    for subject, cortex in cortices.items():
        transform, path = dataset.volume_space, root / "flatmaps" / f"{subject}.npz"
        if cortex.source == "store":
            transform, path = cortex.transform, drawn[cortex.name, cortex.transform]
        else:
            pair, flatmap = _from_dataset(dataset, subject, cortex, mask, patch, height)
            import_subject(root, name_in_store(cortex.source, subject, cortex.name), *pair)
            write_flatmap(flatmap, path)
        ready[subject] = {
            "source": cortex.source,
            "transform": transform,
            "flatmap": path.relative_to(root).as_posix(),
            "sha256": sha256_of(path),
        }
    return ready


def prepare_stored(
    root: Path, folder: Path, transforms: Sequence[str], height: int
) -> dict[tuple[str, str], Path]:
    """Take a subject of a filestore over, and build a flatmap per transform; return their files.

    Pages show its flat surfaces as they lie, because regions may have been drawn on them.
    """
    alignments = [read_alignment(folder, name) for name in transforms]
    pair = with_folds(read_stored(folder), root)
    flatmaps = {one.name: stored_flatmap(pair, one, height) for one in alignments}
    import_subject(root, folder.name, *pair, alignments, folder)
    made = {}
    for name, flatmap in flatmaps.items():  # now that nothing was found to be wrong
        made[folder.name, name] = root / "flatmaps" / f"{folder.name}-{name}.npz"
        write_flatmap(flatmap, made[folder.name, name])
    return made


def with_folds(pair: Pair, root: Path) -> Pair:
    """Let pycortex find the curvature of hemispheres whose filestore has none."""
    if all(half.curvature is not None for half in pair):
        return pair
    (root / "db").mkdir(parents=True, exist_ok=True)
    surfaces = use_store(root).polyutils.Surface
    left, right = (
        replace(half, curvature=np.nan_to_num(surface.smooth(surface.mean_curvature(), _SMOOTHED)))
        for half in pair
        for surface in [surfaces(half.middle, half.triangles)]
    )
    return left, right


def _from_dataset(
    dataset: DataSet, subject: str, cortex: Cortex, mask: str, patch: str, height: int
) -> tuple[Pair, Flatmap]:
    """Build a flatmap from the data set, once all files are there."""
    grid = [str(path) for path in dataset.grid_files(subject, mask)]
    require_files(dataset, [*cortex.files, *grid], _OTHERWISE)
    analysed = volume_of(dataset.reader().places(subject, mask))
    if cortex.source == "freesurfer":
        return own_flatmap(dataset, subject, patch, analysed, height)
    return average_flatmap(dataset, subject, analysed, height)
