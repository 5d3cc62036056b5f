"""Checkpoints: complete, whole, and of the models that the study names."""

from __future__ import annotations

from pathlib import Path

from brainstruct.config.models import Model
from brainstruct.config.study import Study
from brainstruct.errors import Outcome
from brainstruct.models.files import inspect_weights, read_checkpoint
from brainstruct.workflow.rooms import Rooms


def check_checkpoint(study: Study, name: str) -> Outcome:
    """Look at the files of a checkpoint that is on disk; none is loaded."""
    outcome = Outcome(f"checkpoint {name}")
    source, places = study.checkpoints[name], Rooms.of(study).models
    folder = Path(places.checkpoint_folder(name))
    written = study.synthetic is not None and name in study.synthetic.checkpoints
    if written and not folder.is_dir():
        outcome.checked = "written by this study"
    elif source.path is None and not Path(places.checkpoint(name)).is_file():
        outcome.checked = (
            f"not here yet: the first run fetches {source.hub} ({source.revision}), "
            "start it where there is internet"
        )
    else:
        models = [model for model in study.models if model.checkpoint == name]
        with outcome.noting():
            for model in models:
                _check_model(outcome, folder, model)
            size = inspect_weights(folder)
            outcome.checked = f"{len(models)} models, weights of {size / 1e9:.1f} GB"
    return outcome


def _check_model(outcome: Outcome, folder: Path, model: Model) -> None:
    config = read_checkpoint(folder, model.family)
    part = config.get("vision_config" if model.family == "clip-image" else "text_config")
    blocks = (part if isinstance(part, dict) else config).get("num_hidden_layers")
    if isinstance(blocks, int) and model.n_layers != blocks + 1:
        outcome.add(
            "error",
            f"models.{model.key}.n_layers",
            f"is {model.n_layers}, {folder} has {blocks + 1} hidden states "
            "(token embeddings included)",
            f"Set it to {blocks + 1}, or name the right checkpoint",
        )
