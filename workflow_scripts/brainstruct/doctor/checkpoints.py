"""Checkpoints: complete, whole, and of the models that the study names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from brainstruct.config.models import Checkpoint, Model
from brainstruct.config.study import Study
from brainstruct.doctor.finding import Outcome
from brainstruct.models.files import inspect_weights, read_config, require_files
from brainstruct.targets import Targets

HUB_FOLDER = Path("resources/checkpoints")
"""Where the workflow puts what it downloads."""

WIDTHS = {
    "instructblip": 4096,
    "mplug-owl": 4096,
    "idefics": 4096,
    "llava": 4096,
    "vit": 1280,
    "clip-image": 1024,
    "clip-text": 768,
}
"""Features per layer of the published checkpoints, for those that are not on disk yet."""

TINY_WIDTH = 64
"""The widest of the checkpoints that a study can write itself, unless it says otherwise."""


def check_checkpoint(study: Study, name: str) -> Outcome:
    """Look at the files of a checkpoint that is on disk; none is loaded."""
    outcome = Outcome(f"checkpoint {name}")
    source = study.checkpoints[name]
    models = [model for model in study.models if model.checkpoint == name]
    folder = folder_of(name, source)
    if _written(study, name) and not folder.is_dir():
        outcome.checked = "written by this study"
    elif source.path is None and not Path(Targets(study).checkpoint(name)).is_file():
        outcome.checked = (
            f"not here yet: the first run fetches {source.hub} ({source.revision}), "
            "start it where there is internet"
        )
    else:
        with outcome.noting():
            for model in models:
                _check_model(outcome, folder, model)
            size = inspect_weights(folder)
            outcome.checked = f"{len(models)} models, weights of {size / 1e9:.1f} GB"
    return outcome


def folder_of(name: str, source: Checkpoint) -> Path:
    """Return where a checkpoint is, or will be."""
    return Path(source.path) if source.path is not None else HUB_FOLDER / name


def feature_width(study: Study, model: Model) -> int:
    """Return the features per layer, from the checkpoint's configuration where it says so."""
    folder = folder_of(model.checkpoint, study.checkpoints[model.checkpoint])
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return int(_dimensions(content, model)["hidden_size"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Not there, or silent about it; whether it is damaged is not asked here.
        if study.synthetic is not None and _written(study, model.checkpoint):
            return study.synthetic.checkpoints[model.checkpoint].sizes.get("width", TINY_WIDTH)
        return WIDTHS[model.family]


def _written(study: Study, name: str) -> bool:
    """Return whether the study writes a checkpoint itself."""
    return study.synthetic is not None and name in study.synthetic.checkpoints


def _check_model(outcome: Outcome, folder: Path, model: Model) -> None:
    kind = "clip" if model.family.startswith("clip-") else model.family
    config = read_config(folder, {kind})
    blocks = _dimensions(config, model).get("num_hidden_layers")
    if isinstance(blocks, int) and model.n_layers != _states(blocks):
        outcome.add(
            "error",
            f"models.{model.key}.n_layers",
            f"is {model.n_layers}, {folder} has {_states(blocks)} hidden states "
            "(token embeddings included)",
            f"Set it to {_states(blocks)}, or name the right checkpoint",
        )
    if not model.reads_captions:
        require_files(folder, ("preprocessor_config.json", "processor_config.json"))
    if model.follows_instructions or model.reads_captions:
        require_files(folder, ("tokenizer.json", "tokenizer.model"))


def _states(blocks: int) -> int:
    """Count the token embeddings with the blocks of a network."""
    return len(range(blocks + 1))


def _dimensions(config: dict[str, Any], model: Model) -> dict[str, Any]:
    """Return the part of ``config.json`` that speaks of the embedded states."""
    key = "vision_config" if model.family == "clip-image" else "text_config"
    part = config.get(key, config)
    return part if isinstance(part, dict) else config
