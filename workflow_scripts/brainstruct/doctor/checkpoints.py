"""Checkpoints: complete, whole, and of the models that the study names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainstruct.config.models import Model
from brainstruct.config.study import Study
from brainstruct.doctor.finding import Outcome
from brainstruct.models.files import inspect_weights, read_checkpoint
from brainstruct.workflow.rooms import Rooms


def check_checkpoint(study: Study, name: str) -> Outcome:
    """Look at the files of a checkpoint that is on disk; none is loaded."""
    outcome = Outcome(f"checkpoint {name}")
    source = study.checkpoints[name]
    models = [model for model in study.models if model.checkpoint == name]
    folder = Path(Rooms.of(study).models.checkpoint_folder(name))
    if _written(study, name) and not folder.is_dir():
        outcome.checked = "written by this study"
    elif source.path is None and not Path(Rooms.of(study).models.checkpoint(name)).is_file():
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


def _written(study: Study, name: str) -> bool:
    """Return whether the study writes a checkpoint itself."""
    return study.synthetic is not None and name in study.synthetic.checkpoints


def _check_model(outcome: Outcome, folder: Path, model: Model) -> None:
    config = read_checkpoint(folder, model.family)
    blocks = _dimensions(config, model).get("num_hidden_layers")
    if isinstance(blocks, int) and model.n_layers != _states(blocks):
        outcome.add(
            "error",
            f"models.{model.key}.n_layers",
            f"is {model.n_layers}, {folder} has {_states(blocks)} hidden states "
            "(token embeddings included)",
            f"Set it to {_states(blocks)}, or name the right checkpoint",
        )


def _states(blocks: int) -> int:
    """Count the token embeddings with the blocks of a network."""
    return len(range(blocks + 1))


def _dimensions(config: dict[str, Any], model: Model) -> dict[str, Any]:
    """Return the part of ``config.json`` that speaks of the embedded states."""
    key = "vision_config" if model.family == "clip-image" else "text_config"
    part = config.get(key, config)
    return part if isinstance(part, dict) else config
