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

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers.utils import logging

from brainstruct.errors import InputError
from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.mplug_owl.modeling import MPlugOwlForConditionalGeneration

CURE = "Download the checkpoint again, at the revision that the configuration pins"


def read_config(folder: Path) -> MPlugOwlConfig:
    """Read the dimensions of a checkpoint.

    Raises
    ------
    InputError
        If ``config.json`` is missing, damaged, inconsistent or of another family.
    """
    path = folder / "config.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stated = content.get("model_type"), content.get("text_config", {}).get("model_type")
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", CURE) from error
    except (ValueError, AttributeError) as error:
        raise InputError(path, f"is no configuration of a model ({error})", CURE) from error
    if stated != (MPlugOwlConfig.model_type, "llama"):
        raise InputError(
            path,
            f"describes a {stated[0]!r} with a {stated[1]!r} language model, "
            f"not a {MPlugOwlConfig.model_type!r} with 'llama'",
            "Point the model's checkpoint to one of this family, or change its family",
        )
    try:
        return MPlugOwlConfig(**content)
    except StrictDataclassError as error:
        reason = " ".join(str(error).split())
        raise InputError(path, f"has dimensions that do not fit ({reason})", CURE) from error


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
    had_bar = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model, report = MPlugOwlForConditionalGeneration.from_pretrained(
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
        raise InputError(folder, fault, CURE) from error
    except (OSError, RuntimeError, SafetensorError, json.JSONDecodeError) as error:
        raise InputError(folder, f"has weights that cannot be read ({error})", CURE) from error
    finally:
        if had_bar:
            logging.enable_progress_bar()
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
        raise InputError(folder, f"has weights unlike this family's: {'; '.join(faults)}", CURE)
    return model.eval()


def _some(names: Collection[str], n_shown: int = 3) -> str:
    shown = ", ".join(sorted(names)[:n_shown])
    return shown if len(names) <= n_shown else f"{shown}, .."
