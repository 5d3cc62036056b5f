"""Builds the flatmap of every subject of a study, each on the cortex chosen for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainstruct.datasets.files import require_files
from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.places import volume_of
from brainstruct.figures.cortex_store import prepare_store, use_store
from brainstruct.figures.flatmap import warm_flatmap
from brainstruct.figures.own_cortex import Pair, average_flatmap, own_flatmap
from brainstruct.figures.store_import import import_subject
from brainstruct.figures.store_names import name_in_store
from brainstruct.figures.surface import Flatmap, write_flatmap
from brainstruct.store.checksums import sha256_of

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

    Parameters
    ----------
    dataset : DataSet
        The data set; read for the last two sources, with `mask`, the ROI volume of the analysed
        voxels, and `patch`, the name of FreeSurfer's patches.
    store : str or None
        The user's filestore, `None` for pycortex's own.

    Returns
    -------
    dict
        Subject -> ``source``, ``transform``, ``flatmap`` (a file in `folder`) and its
        ``sha256``, by which drawings notice that it is another one.

    Raises
    ------
    InputError
        If a subject lacks files, or they are damaged or do not belong together.
    """
    root = Path(folder).resolve()
    stored = {
        subject: (cortex.name, cortex.transform)
        for subject, cortex in cortices.items()
        if cortex.source == "store"
    }
    if stored:
        use_store(prepare_store(root, [name for name, _ in stored.values()], store))
    # Subjects may share a cortex.
    warm = {entry: warm_flatmap(*entry, height) for entry in dict.fromkeys(stored.values())}
    ready = {}
    for subject, cortex in cortices.items():
        if subject in stored:
            path, transform = warm[stored[subject]], stored[subject][1]
        else:
            path, transform = root / "flatmaps" / f"{subject}.npz", dataset.volume_space
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
