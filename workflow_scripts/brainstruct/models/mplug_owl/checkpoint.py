"""Read a checkpoint folder in the published layout.

The folder holds ``config.json``, ``tokenizer.model``,
``preprocessor_config.json`` and the weights: ``model.safetensors`` or
``pytorch_model.bin``, each whole or in shards with an index. Pickled weights
are read with PyTorch's restricted unpickler, which builds tensors and refuses
everything else.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from brainstruct.errors import InputError
from brainstruct.models import loading
from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.mplug_owl.modeling import MPlugOwlForConditionalGeneration


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


def read_model(
    folder: Path, config: MPlugOwlConfig, dtype: torch.dtype
) -> MPlugOwlForConditionalGeneration:
    """Read the weights of a checkpoint, on the CPU, ready for inference.

    Each weight is read once, straight into its place and type, so memory peaks
    little above the size of the model.

    Raises
    ------
    InputError
        If the weights are missing, damaged or unsafe, or if their names and
        shapes are not those of the model.
    """
    cure = loading.fetch_cure(folder)
    network_class: Any = MPlugOwlForConditionalGeneration
    try:
        with loading.quiet_transformers():
            model, report = network_class.from_pretrained(
                folder,
                config=config,
                dtype=dtype,
                local_files_only=True,
                weights_only=True,
                ignore_mismatched_sizes=True,  # so that they are reported below, not raised
                output_loading_info=True,
            )
    except UnpicklingError as error:
        fault = "has pickled weights that are damaged or hold more than tensors, which is unsafe"
        raise InputError(folder, fault, cure) from error
    except (OSError, RuntimeError, SafetensorError, json.JSONDecodeError) as error:
        raise InputError(folder, f"has weights that cannot be read ({error})", cure) from error
    shapes = [f"{name} {list(file)}" for name, file, _ in report["mismatched_keys"]]
    faults = [
        f"{what} {len(names)} of them ({_some(names)})"
        for what, names in (
            ("lacks", report["missing_keys"]),
            ("has unknown", report["unexpected_keys"]),
            ("has in another shape than config.json states", shapes),
        )
        if names
    ]
    if faults:
        raise InputError(folder, f"has weights unlike this family's: {'; '.join(faults)}", cure)
    network: MPlugOwlForConditionalGeneration = model.eval().requires_grad_(False)
    return network


def _some(names: Collection[str], n_shown: int = 3) -> str:
    shown = ", ".join(sorted(names)[:n_shown])
    return shown if len(names) <= n_shown else f"{shown}, .."
