"""Which types of models `brainstruct.models.auto` runs, and what others are."""

from pathlib import Path
from typing import Any

from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from brainstruct.errors import InputError
from brainstruct.models.registry import FAMILIES, IMAGES
from brainstruct.store.resources import table_beside

_ANSWERS = "Name a checkpoint that answers instructions about images with a decoder"

_OTHERS: dict[str, list[str]] = table_beside(__file__, "kinds.toml")
"""What types of the library are, that cannot be run."""


def family_of(folder: Path, config: dict[str, Any]) -> str:
    """Return the family that runs a checkpoint: that of its type, or the one that reads as it."""
    model_type = config.get("model_type", "")
    own = [name for name, entry in FAMILIES.items() if entry.model_type == model_type != ""]
    if own:
        return own[0]
    if not any((folder / name).is_file() for name in IMAGES):
        return "text"
    return "auto" if model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES else "image"


def refusal_of(model_type: str) -> str | None:
    """Say why a type cannot be run, if it cannot."""
    for fault, types in _OTHERS.items():
        if model_type in types:
            return f"{model_type} {fault}"
    if model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return f"model_type {model_type} is none that the library asks about images"
    return None


def require_kind(folder: Path, config: dict[str, Any]) -> str:
    """Return the ``model_type`` of a checkpoint that can be run, from its ``config.json``.

    An `InputError` if it cannot, or runs only by code of its own.
    """
    model_type = str(config.get("model_type"))
    if fault := refusal_of(model_type):
        raise refused(folder, config, fault, _ANSWERS)
    return model_type


def refused(folder: Path, config: dict[str, Any], fault: str, cure: str) -> InputError:
    """Return what is to be said of a checkpoint that the library cannot run as it is asked to."""
    if "auto_map" in config:
        fault += "; it comes with code of its own, which is never run"
        known = sorted(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES, key=len, reverse=True)
        stated = str(config.get("model_type")).lower()
        if twin := next((one for one in known if stated.startswith(one)), None):
            cure = f"Name its twin for the library (model_type {twin}), often named so with -hf"
    return InputError(folder / "config.json", fault, cure)
