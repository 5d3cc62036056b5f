"""What the small files of a checkpoint say of it, known without PyTorch or transformers.

The doctor asks before anything is queued, and every family again when it is loaded.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from brainstruct.errors import InputError
from brainstruct.models.registry import FAMILIES
from brainstruct.store.faults import reading, taken_for
from brainstruct.store.files import read_json

IMAGE_TOKEN = "<image>"

_WHOLE = "Name the checkpoint that it was made from: other weights give other states"

_KINDS = (
    (
        re.compile(
            r"\.(absmax|quant_map|nested_\w+|SCB|qweight|qzeros|weight_packed)$|quant_state"
        ),
        "holds quantised tensors",
        _WHOLE,
    ),
    (
        re.compile(r"\.lora_\w+[.]|\.base_layer\."),
        "holds tensors of an adapter",
        "Merge it into its base model (PEFT: merge_and_unload), and name that folder",
    ),
)
"""How tensors are named that are not a network's own, what they are, and the cure."""


def require_whole_model(folder: Path) -> None:
    """Refuse an adapter: it is a difference, and the library would load its base unasked."""
    path = folder / "adapter_config.json"
    if path.is_file():
        content = read_json(path, "Remove it, if the folder holds a whole model")
        base = content.get("base_model_name_or_path") or "a model that it does not name"
        kind = str(content.get("peft_type") or "an adapter")
        raise InputError(path, f"is of an adapter ({kind}) of {base}", _KINDS[1][2])


def packed_bits(config: Mapping[str, Any]) -> int | None:
    """Return into how many bits bitsandbytes has packed weights, if a ``config.json`` says so."""
    stated = config.get("quantization_config")
    if not isinstance(stated, dict) or stated.get("quant_method") != "bitsandbytes":
        return None
    return next((bits for bits in (4, 8) if stated.get(f"load_in_{bits}bit")), None)


def require_unquantised(path: Path, config: dict[str, Any]) -> None:
    """Refuse a configuration of quantised weights, of the whole (but `packed_bits`) or a part."""
    whole = config | {"quantization_config": None} if packed_bits(config) else config
    for part in [whole, *(part for part in config.values() if isinstance(part, dict))]:
        for key in ("quantization_config", "compression_config"):
            if stated := part.get(key):
                method = stated.get("quant_method") if isinstance(stated, dict) else stated
                raise InputError(path, f"is of quantised weights ({key}: {method})", _WHOLE)


def require_plain_tensors(path: Path, names: Iterable[str]) -> None:
    """Refuse weights whose names tell that they are an adapter's, or quantised unannounced."""
    stated = path.parent / "config.json"
    packed = stated.is_file() and packed_bits(read_json(stated, ""))
    for name in sorted(names):
        for said, fault, cure in _KINDS[1:] if packed else _KINDS:
            if said.search(name):
                raise InputError(path, f"{fault} ({name})", cure)


def stand_ins(folder: Path, names: Collection[str], cure: str) -> dict[str, tuple[str, str]]:
    """Find files, of these names, that are something else: Git LFS pointers, pages of the web.

    Returns name -> what it is, and the cure. Empty files are no stand-ins.
    """
    found = {}
    for name in sorted(names):
        path = folder / name
        with reading(path, "file of a checkpoint", cure):
            taken = taken_for(path)
        if taken and taken[0] != "is empty":
            found[name] = (taken[0], taken[1] or cure)
    return found


def stated_part(config: dict[str, Any], family: str) -> dict[str, Any] | None:
    """Return what a ``config.json`` says of the part whose blocks are the layers, if it does."""
    entry = FAMILIES[family]
    # Some have the numbers of the language model outside of it (Qwen2-VL).
    part = config if entry.part is None else config.get(entry.part) or config
    # CLIP's state a part twice; the library believes this, its defaults included.
    told = config.get(f"{entry.part}_dict")
    part = part if told is None else told
    return part if isinstance(part, dict) else None


def stated_blocks(config: dict[str, Any], family: str) -> int | None:
    """Return how many blocks a ``config.json`` states, or leaves to the library's default.

    `None` if it states no number; whoever loads it says what is wrong.
    """
    part = stated_part(config, family)
    usual = FAMILIES[family].usual_blocks
    blocks = None if part is None else part.get("num_hidden_layers", usual)
    return blocks if isinstance(blocks, int) else None


def require_image_token(folder: Path, config: dict[str, Any], family: str, cure: str) -> None:
    """Refuse a configuration whose image token is another than the tokenizer's.

    The network puts the image where that token stands, so that a word would be replaced, or
    nothing. The library's processor of InstructBLIP appends the token to a tokenizer that lacks it.
    """
    entry = FAMILIES[family]
    if not entry.has_image_token:
        return
    stated = config.get("image_token_index", config.get("image_token_id", entry.usual_image_token))
    path = folder / "config.json"
    if stated is None:
        raise InputError(
            path,
            "names no image token (image_token_index)",
            "Fetch a revision of the checkpoint from November 2024 or later",
        )
    known = vocabulary(folder / "tokenizer.json", cure)
    found = known.get(IMAGE_TOKEN, len(known) if family == "instructblip" else None)
    if found is not None and stated != found:
        fault = f"image_token_index is {stated}, the tokenizer says {found}"
        raise InputError(path, fault, cure)


def vocabulary(path: Path, cure: str) -> dict[str, int]:
    """Read token -> id from a ``tokenizer.json``."""
    content = read_json(path, cure)
    with reading(path, "tokenizer", cure):
        stored = content["model"]["vocab"]
        if not isinstance(stored, dict):  # of Unigram models: pairs of token and score
            stored = {token: number for number, (token, _) in enumerate(stored)}
        added = {token["content"]: int(token["id"]) for token in content.get("added_tokens", [])}
        return stored | added
