"""Read the configuration of a checkpoint folder in the published layout.

The folder holds ``config.json``, ``tokenizer.model``,
``preprocessor_config.json`` and the weights: ``model.safetensors`` or
``pytorch_model.bin``, each whole or in shards with an index.
"""

from __future__ import annotations

from pathlib import Path

from huggingface_hub.errors import StrictDataclassError

from brainstruct.errors import InputError
from brainstruct.models import loading
from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig


def read_config(folder: Path) -> MPlugOwlConfig:
    """Read the dimensions of a checkpoint.

    Raises
    ------
    InputError
        If ``config.json`` is missing, damaged, inconsistent or of another family.
    """
    content = loading.read_config(folder, {MPlugOwlConfig.model_type})
    path = folder / "config.json"
    text = content.get("text_config")
    language = text.get("model_type") if isinstance(text, dict) else None
    if language != "llama":
        raise InputError(
            path,
            f"describes a {language!r} language model, this family runs 'llama'",
            "Name another checkpoint for this model, such as MAGAer13/mplug-owl-llama-7b",
        )
    try:
        return MPlugOwlConfig(**content)
    except StrictDataclassError as error:
        reason = " ".join(str(error).split())
        fault = f"has dimensions that do not fit ({reason})"
        raise InputError(path, fault, loading.fetch_cure(folder)) from error
