"""What is on disk, what will be, and whether it fits."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from brainstruct.planning.report import Folder, Volume


def folder_of(path: str, root: str) -> str:
    """Return the stage that a file belongs to: the folder under the results, or its own.

    >>> folder_of("results/demo/fits/subj01/vit-h/none/layer-0.nc", "results/demo")
    'results/demo/fits'
    >>> folder_of("resources/demo/nsd/nsddata/experiments/nsd/nsd_expdesign.mat", "results/demo")
    'resources/demo/nsd'
    """
    parts = Path(path).parts
    depth = len(Path(root).parts) + 1
    if Path(path).is_relative_to(root):
        return str(Path(*parts[:depth])) if len(parts) > depth else root
    return str(Path(*parts[:3])) if len(parts) > 3 else str(Path(path).parent)


def volumes(folders: Iterable[Folder]) -> list[Volume]:
    """Compare what will be written with what is free, file system by file system."""
    found: dict[int, Volume] = {}
    for folder in folders:
        place = _existing(Path(folder.folder))
        device = place.stat().st_dev
        if device not in found:
            free = shutil.disk_usage(place).free
            found[device] = Volume(folder=str(place), needed_bytes=0, free_bytes=free)
        before = found[device]
        needed = before.needed_bytes + max(0, folder.whole_bytes - folder.stored_bytes)
        found[device] = before.model_copy(update={"needed_bytes": needed})
    return list(found.values())


def _existing(path: Path) -> Path:
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())
