"""What is on disk, what will be, and whether it fits."""

import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from brainstruct.planning.amounts import Amounts
from brainstruct.planning.jobs import Job
from brainstruct.planning.report import Folder, Volume
from brainstruct.store.files import existing
from brainstruct.store.ledger import Ledger
from brainstruct.workflow.models import DOWNLOADS
from brainstruct.workflow.rooms import Rooms

Part: TypeAlias = tuple[str, int, float, float]
"""Folder, files of it, their bytes when all are there, and the bytes that are."""


def folder_of(path: str, root: str) -> str:
    """Return the stage that a file belongs to: the folder under the results, or its own.

    >>> folder_of("results/demo/fits/anna/vit-h/none/layer-0.nc", "results/demo")
    'results/demo/fits'
    >>> folder_of("resources/demo/images/stimuli/images.hdf5", "results/demo")
    'resources/demo/images'
    """
    parts = Path(path).parts
    depth = len(Path(root).parts) + 1
    if Path(path).is_relative_to(root):
        return str(Path(*parts[:depth])) if len(parts) > depth else root
    return str(Path(*parts[:3])) if len(parts) > 3 else str(Path(path).parent)


def embeddings(amounts: Amounts) -> dict[str, list[Part]]:
    """Return each model's embeddings, by far the largest results; no list of jobs is needed.

    Those that were discarded are not to come again.
    """
    study, places = amounts.study, Rooms.of(amounts.study).models
    discarded = Ledger(places.root, {"embeddings"}).discarded
    found: dict[str, list[Part]] = {}
    for model in study.models:
        parts = found.setdefault(model.key, [])
        for instruction in study.instructions_of(model):
            for block in places.data.blocks:
                path = places.embedding(model.key, instruction, block)
                if Path(path).exists() or path.removeprefix(f"{places.root}/") not in discarded:
                    assumed = amounts.embedding_bytes(model.key, amounts.block(block))
                    parts.append(_part(f"{places.root}/embeddings", path, assumed))
    return found


def unfinished(found: Mapping[str, Iterable[Part]]) -> set[str]:
    """Return models some of whose embeddings are to come."""
    return {model for model, parts in found.items() if any(not part[3] for part in parts)}


def inputs(amounts: Amounts, to_embed: Collection[str]) -> Iterator[Part]:
    """Yield the data set and the checkpoints, where the workflow does not write them itself.

    Checkpoints come only for models that are `to_embed`.
    """
    study, places = amounts.study, Rooms.of(amounts.study).models
    dataset = amounts.dataset
    if dataset.made_up:
        return
    for path in dataset.required(study.wanted):
        yield _part(dataset.root, str(path), dataset.expected_bytes(path))
    wanted = {model.checkpoint for model in study.models if model.key in to_embed}
    networks = {model.checkpoint: amounts.networks[model.key] for model in study.models}
    for name, network in networks.items():
        if study.checkpoints[name].path is None:
            stored = on_disk(Path(places.checkpoint_folder(name)))
            # Before it has a manifest, small files of it may be there, or a part.
            complete = name not in wanted or Path(places.checkpoint(name)).is_file()
            yield DOWNLOADS, 1, stored if complete else network.download_bytes, stored


def _part(folder: str, path: str, assumed: float) -> Part:
    stored = on_disk(Path(path))
    return folder, 1, stored or assumed, stored


def sum_up(parts: Iterable[Part]) -> list[Folder]:
    """Sum up folder by folder."""
    by_folder: dict[str, list[Part]] = {}
    for part in parts:
        by_folder.setdefault(part[0], []).append(part)
    return [
        Folder(
            folder=folder,
            files=sum(part[1] for part in own),
            whole_bytes=round(sum(part[2] for part in own)),
            stored_bytes=round(sum(part[3] for part in own)),
        )
        for folder, own in by_folder.items()
    ]


def on_disk(path: Path) -> float:
    """Return the size of a file, or of all files in a folder; 0 if there is none."""
    if path.is_dir():
        return float(sum(file.stat().st_size for file in path.rglob("*") if file.is_file()))
    return float(path.stat().st_size) if path.is_file() else 0.0


def stored_bytes(job: Job) -> float | None:
    """Return the size of a job's outputs; `None` if one is not on disk.

    The pycortex store is a folder, of which its rule declares one file.
    """
    paths = [Path(name) for name in job.outputs]
    if not all(path.exists() for path in paths):
        return None
    if job.kind == "prepare_pycortex":
        paths = [path.parent for path in paths]
    return sum(map(on_disk, paths))


def volumes(folders: Iterable[Folder]) -> list[Volume]:
    """Compare what will be written with what is free, file system by file system."""
    places: dict[int, Path] = {}
    needed: Counter[int] = Counter()
    for folder in folders:
        place = existing(Path(folder.folder))
        device = place.stat().st_dev
        places.setdefault(device, place)
        needed[device] += folder.bytes_to_come
    return [
        Volume(
            folder=str(place),
            needed_bytes=needed[device],
            free_bytes=shutil.disk_usage(place).free,
        )
        for device, place in places.items()
    ]
