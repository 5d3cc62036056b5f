"""What is on disk, what will be, and whether it fits."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from brainstruct.planning.amounts import IMAGES_BYTES, STIM_INFO_BYTES, Amounts
from brainstruct.planning.report import Folder, Volume
from brainstruct.workflow.models import DOWNLOADS
from brainstruct.workflow.rooms import Rooms


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


def embeddings_folder(amounts: Amounts) -> Folder:
    """Return the embeddings, by far the largest results; no list of jobs is needed."""
    study, models = amounts.study, Rooms.of(amounts.study).models
    sizes = [
        (
            on_disk(Path(models.embedding(model.key, instruction, block))),
            amounts.embedding_bytes(model.key, amounts.block(block)),
        )
        for model in study.models
        for instruction in study.instructions_of(model)
        for block in models.data.blocks
    ]
    return _folder(f"{models.root}/embeddings", sizes)


def input_folders(amounts: Amounts) -> list[Folder]:
    """Return the data set and the checkpoints, where the workflow does not write them itself."""
    study, inputs = amounts.study, amounts.inputs
    if study.synthetic is not None:
        return []
    known = {"nsd_stimuli.hdf5": IMAGES_BYTES, "nsd_stim_info_merged.csv": STIM_INFO_BYTES}
    data = []
    for path in map(Path, inputs.required()):
        betas = path.name.startswith("betas_session")
        assumed = amounts.beta_bytes() if betas else known.get(path.name, 1_000_000)
        data.append((on_disk(path), assumed))
    folder_of_checkpoint = Rooms.of(study).models.checkpoint_folder
    needed = {model.checkpoint: amounts.networks[model.key] for model in study.models}
    weights = {
        name: (on_disk(Path(folder_of_checkpoint(name))), round(network.download_bytes))
        for name, network in needed.items()
        if study.checkpoints[name].path is None
    }
    return [
        _folder(study.data.nsd_root, data),
        *([_folder(DOWNLOADS, list(weights.values()))] if weights else []),
    ]


def _folder(name: str, sizes: Sequence[tuple[float, float]]) -> Folder:
    """Sum pairs of what is stored and what is assumed where nothing is."""
    return Folder(
        folder=name,
        files=len(sizes),
        whole_bytes=round(sum(stored or assumed for stored, assumed in sizes)),
        stored_bytes=round(sum(stored for stored, _ in sizes)),
    )


def on_disk(path: Path) -> float:
    """Return the size of a file, or of all files in a folder; 0 if there is none."""
    if path.is_dir():
        return float(sum(file.stat().st_size for file in path.rglob("*") if file.is_file()))
    return float(path.stat().st_size) if path.is_file() else 0.0


def volumes(folders: Iterable[Folder]) -> list[Volume]:
    """Compare what will be written with what is free, file system by file system."""
    found: dict[int, Volume] = {}
    for folder in folders:
        place = existing(Path(folder.folder))
        device = place.stat().st_dev
        if device not in found:
            free = shutil.disk_usage(place).free
            found[device] = Volume(folder=str(place), needed_bytes=0, free_bytes=free)
        before = found[device]
        needed = before.needed_bytes + max(0, folder.whole_bytes - folder.stored_bytes)
        found[device] = before.model_copy(update={"needed_bytes": needed})
    return list(found.values())


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    place = folder.absolute()
    while not place.is_dir():
        place = place.parent
    return place
