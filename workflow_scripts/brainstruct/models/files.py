"""The files of a checkpoint: which must be there, and whether they can be whole.

Only names, headers and sizes are looked at, so a checkpoint of any size is
inspected in a moment, and neither PyTorch nor transformers is needed.
"""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from safetensors import safe_open

from brainstruct.errors import InputError
from brainstruct.models import declared
from brainstruct.models.registry import FAMILIES, IMAGES, Family
from brainstruct.store.faults import reading, taken_for
from brainstruct.store.files import read_json

_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)

SMALL_FILES = (".json", ".txt", ".model", ".jinja")
"""Endings of configuration, tokenizers and processors."""

WEIGHT_FORMATS = (".safetensors", ".bin")
"""Endings of weights."""

_MOST_BLOCKS = 1000
"""More of them in any part of a network are a damaged number; building them would not end."""


def fetch_cure(folder: Path) -> str:
    """Return how a missing or damaged checkpoint is mended."""
    return (
        "Fetch it on a machine with internet (snakemake --until fetch_checkpoint "
        f"-R fetch_checkpoint), or complete {folder} yourself"
    )


def read_checkpoint(folder: Path, family: str) -> dict[str, Any]:
    """Return the ``config.json`` of a checkpoint that has all files its family needs.

    Weights are not looked at; see `require_weights`. An `InputError` if the folder or a file is
    missing or a pointer to it, the configuration is damaged, the checkpoint is of another family,
    quantised or an adapter, or its image token is not the tokenizer's.
    """
    entry = FAMILIES[family]
    if not folder.is_dir():
        raise InputError(folder, "there is no such checkpoint folder", fetch_cure(folder))
    declared.require_whole_model(folder)
    _require_files(folder, "config.json")
    path = folder / "config.json"
    config: dict[str, Any] = read_json(path, fetch_cure(folder))
    found = config.get("model_type")
    if entry.model_type and found != entry.model_type:
        raise InputError(
            path,
            f"model_type is {found!r}, this family runs {entry.model_type}",
            "Name another checkpoint, or another family, for this model in the configuration",
        )
    _require_files(folder, *entry.files)
    _require_own_content(folder, entry)
    if IMAGES in entry.files:
        image_settings(folder)
    declared.require_unquantised(path, config)
    declared.require_image_token(folder, config, family, fetch_cure(folder))
    return config


def _require_own_content(folder: Path, entry: Family) -> None:
    """Refuse pointers and pages in place of what a family reads, naming all."""
    with reading(folder, "folder of a checkpoint", fetch_cure(folder)):
        needed = {name for names in entry.files for name in _alternatives(names)}
        there = {path.name for path in folder.glob("*.json")} | needed
        names = [name for name in there if (folder / name).is_file()]
    found = declared.stand_ins(folder, names, fetch_cure(folder))
    _refuse(folder, [InputError(folder / name, *trouble) for name, trouble in found.items()])


def _refuse(folder: Path, faults: Sequence[InputError]) -> None:
    """Raise the one fault that was found of files of a folder, or name all of them."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        said = "; ".join(f"{Path(error.where).name} {error.fault}" for error in faults)
        raise InputError(folder, said, faults[0].cure)


def _alternatives(name: str | tuple[str, ...]) -> tuple[str, ...]:
    return (name,) if isinstance(name, str) else name


def as_config(folder: Path, content: dict[str, Any], kind: Any) -> Any:
    """Return what `read_checkpoint` found as a class of transformers has it.

    An `InputError` if the library refuses it, or it describes what cannot be built.
    """
    path, cure = folder / "config.json", fetch_cure(folder)
    for name, blocks in _numbers_of_blocks(content):
        if blocks > _MOST_BLOCKS:
            raise InputError(path, f"{name} is {blocks}, which no model has", cure)
    with reading(path, f"configuration that {kind.__name__} takes", cure):
        return kind.from_dict(content)


def _numbers_of_blocks(content: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield how many blocks the parts of a network are said to have."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _numbers_of_blocks(value)
        elif isinstance(value, int) and name.endswith(("_layers", "depth")):
            yield name, value


def image_settings(folder: Path) -> Path:
    """Return the file that says how a checkpoint prepares images.

    Either of `IMAGES` may. The library takes the second, of a whole processor, if it speaks
    of images at all; InstructBLIP's does not.
    """
    own, whole = (folder / name for name in IMAGES)
    if whole.is_file() and "image_processor" in read_json(whole, fetch_cure(folder)):
        return whole
    _require_files(folder, own.name)
    return own


def load_processor(kind: Any, folder: Path, **arguments: Any) -> Any:
    """Return what makes pixels of images, of a class of transformers, as a checkpoint has it.

    An `InputError` if its file is damaged, or the library refuses it.
    """
    what, cure = f"settings that {kind.__name__} takes", fetch_cure(folder)
    with reading(image_settings(folder), what, cure):
        return kind.from_pretrained(folder, local_files_only=True, **arguments)


def _require_files(folder: Path, *names: str | tuple[str, ...]) -> None:
    """Refuse a checkpoint that lacks files, naming all; of a tuple, one is enough."""
    with reading(folder, "folder of a checkpoint", fetch_cure(folder)):
        missing = [
            " or ".join(alternatives)
            for alternatives in map(_alternatives, names)
            if not any((folder / name).is_file() for name in alternatives)
        ]
    if missing:
        raise InputError(folder, f"lacks {', '.join(missing)}", fetch_cure(folder))


def require_weights(folder: Path) -> dict[str, list[str]]:
    """Refuse a checkpoint whose weights, or some shards of them, are not there.

    Returns file of weights -> names of the tensors that the index promises in it (none
    where there is one file and no index).
    """
    _require_files(folder, _WEIGHTS)
    index = next(folder / name for name in _WEIGHTS if (folder / name).is_file())
    if index.suffix != ".json":
        return {index.name: []}
    shards: dict[str, list[str]] = {}
    what, cure = "index of weight shards", fetch_cure(folder)
    with reading(index, what, cure):
        for tensor, shard in read_json(index, cure, what=what)["weight_map"].items():
            shards.setdefault(str(shard), []).append(str(tensor))
    for shard in shards:
        # What lies elsewhere is in no manifest: nobody would know what was loaded.
        if Path(shard).name != shard or not shard.endswith(WEIGHT_FORMATS):
            raise InputError(
                index,
                f"names a file outside of its folder, or no weights: {shard}",
                "Take the checkpoint from where it was published; its shards lie beside the index",
            )
    _require_files(folder, *sorted(shards))
    return dict(sorted(shards.items()))


def inspect_weights(folder: Path) -> int:
    """Check that every file of weights is whole, from its header and its size; return all bytes.

    An `InputError` as `require_weights`; and if a file is a Git LFS pointer, is shorter than its
    header says, or lacks tensors that the index promises.
    """
    shards = require_weights(folder)
    faults: list[InputError] = []
    for name, tensors in shards.items():
        try:
            _inspect_file(folder / name, tensors)
        except InputError as error:
            faults.append(error)
    _refuse(folder, faults)
    return sum((folder / name).stat().st_size for name in shards)


def _inspect_file(path: Path, tensors: Sequence[str]) -> None:
    """Check one file of weights, which must hold the given tensors."""
    declared.require_plain_tensors(path, tensors)
    cure = fetch_cure(path.parent)
    with reading(path, "file of weights", cure):
        if found := taken_for(path):
            raise InputError(path, found[0], found[1] or cure)
        with path.open("rb") as file:
            packed = file.read(2) == b"PK"
        if packed and not zipfile.is_zipfile(path):  # its directory is at the end
            raise InputError(path, "is truncated", cure)
    if path.suffix == ".safetensors":
        _inspect_safetensors(path, tensors)


def _inspect_safetensors(path: Path, tensors: Sequence[str]) -> None:
    """Compare the header of a file of weights with its size, and with the index."""
    cure = fetch_cure(path.parent)
    # Opening it compares its header with its size.
    with reading(path, "file of weights", cure), safe_open(path, framework="numpy") as file:
        found = set(file.keys())
    declared.require_plain_tensors(path, found)
    absent = sorted(set(tensors) - found)
    if absent:
        raise InputError(
            path,
            f"lacks {len(absent)} tensors that the index promises (the first is {absent[0]})",
            cure,
        )
