"""The files of a checkpoint: which must be there, and whether they can be whole.

Only names, headers and sizes are looked at, so a checkpoint of any size is
inspected in a moment, and neither PyTorch nor transformers is needed.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from brainstruct.errors import InputError
from brainstruct.models.registry import FAMILIES

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

_POINTER = b"version https://git-lfs"
"""What a clone holds in place of a large file that was never pulled."""


def fetch_cure(folder: Path) -> str:
    """Return how a missing or damaged checkpoint is mended."""
    return (
        "Fetch it on a machine with internet (snakemake --until fetch_checkpoint "
        f"-R fetch_checkpoint), or complete {folder} yourself"
    )


def read_checkpoint(folder: Path, family: str) -> dict[str, Any]:
    """Return the ``config.json`` of a checkpoint that has all files its family needs.

    Weights are not looked at; see `require_weights`.

    Raises
    ------
    InputError
        If the folder or a file is missing, the configuration is damaged, or the
        checkpoint is of another family.
    """
    entry = FAMILIES[family]
    if not folder.is_dir():
        raise InputError(folder, "there is no such checkpoint folder", fetch_cure(folder))
    _require_files(folder, "config.json")
    path = folder / "config.json"
    config: dict[str, Any] = read_json(path)
    found = config.get("model_type")
    if found != entry.model_type:
        raise InputError(
            path,
            f"model_type is {found!r}, this family runs {entry.model_type}",
            "Name another checkpoint, or another family, for this model in the configuration",
        )
    _require_files(folder, *entry.files)
    return config


def read_json(path: Path) -> Any:
    """Return the content of a checkpoint's JSON file; an `InputError` if it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        cure = fetch_cure(path.parent)
        raise InputError(path, f"is not readable as JSON ({error})", cure) from error


def _require_files(folder: Path, *names: str | tuple[str, ...]) -> None:
    """Refuse a checkpoint that lacks files, naming all; of a tuple, one is enough."""
    missing = [
        " or ".join(alternatives)
        for alternatives in ((name,) if isinstance(name, str) else name for name in names)
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
    try:
        for tensor, shard in json.loads(index.read_text(encoding="utf-8"))["weight_map"].items():
            shards.setdefault(str(shard), []).append(str(tensor))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(index, "is no index of weight shards", fetch_cure(folder)) from error
    _require_files(folder, *sorted(shards))
    return dict(sorted(shards.items()))


def inspect_weights(folder: Path) -> int:
    """Check that every file of weights is whole, from its header and its size; return all bytes.

    Raises
    ------
    InputError
        As `require_weights`; and if a file is a Git LFS pointer, is shorter than
        its header says, or lacks tensors that the index promises.
    """
    shards = require_weights(folder)
    for name, tensors in shards.items():
        path = folder / name
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
        if start == _POINTER:
            raise InputError(
                path, "is a Git LFS pointer, not the weights", f"Run `git lfs pull` in {folder}"
            )
        if path.suffix == ".safetensors":
            _inspect_safetensors(path, tensors)
        elif start[:2] == b"PK" and not zipfile.is_zipfile(path):  # its directory is at the end
            raise InputError(path, "is truncated", fetch_cure(folder))
    return sum((folder / name).stat().st_size for name in shards)


def _inspect_safetensors(path: Path, tensors: Sequence[str]) -> None:
    """Check one file of weights, which must hold the given tensors."""
    cure = fetch_cure(path.parent)
    try:
        with safe_open(path, framework="numpy") as file:  # compares its header with its size
            found = set(file.keys())
    except (SafetensorError, OSError) as error:
        raise InputError(path, f"is truncated or damaged ({error})", cure) from error
    absent = sorted(set(tensors) - found)
    if absent:
        raise InputError(
            path,
            f"lacks {len(absent)} tensors that the index promises (the first is {absent[0]})",
            cure,
        )
