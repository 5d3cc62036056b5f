"""Checkpoints: complete, whole, and of the models that the study names."""

from pathlib import Path

from brainstruct.config.models import Model
from brainstruct.config.study import Study
from brainstruct.errors import Outcome
from brainstruct.models.declared import stand_ins, stated_blocks
from brainstruct.models.files import SMALL_FILES, fetch_cure, inspect_weights, read_checkpoint
from brainstruct.store.resources import findings_beside
from brainstruct.workflow.rooms import Rooms

_said = findings_beside(__file__, "findings.toml")


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
        outcome.checked = f"{len(models)} models"
        for model in models:
            with outcome.noting():
                _check_model(outcome, folder, model)
        # Models of one checkpoint share its faults.
        outcome.findings[:] = dict.fromkeys(outcome.findings)
        if folder.is_dir():
            _note_pointers(outcome, folder)
            with outcome.noting():
                size = inspect_weights(folder)
                outcome.checked += f", weights of {size / 1e9:.1f} GB"
    return outcome


def _note_pointers(outcome: Outcome, folder: Path) -> None:
    """Note small files that are something else; those that a family reads are errors already."""
    names = [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name.endswith(SMALL_FILES)
    ]
    said = " ".join(finding.line for finding in outcome.findings)
    for name, (fault, cure) in stand_ins(folder, names, fetch_cure(folder)).items():
        if name not in said:
            outcome.add("warning", folder / name, f"{fault}; no model of the study reads it", cure)


def _check_model(outcome: Outcome, folder: Path, model: Model) -> None:
    config = read_checkpoint(folder, model.family)
    blocks = stated_blocks(config, model.family)
    if blocks is not None and model.n_layers != blocks + 1:
        said = _said("layers", told=model.n_layers, folder=folder, found=blocks + 1)
        outcome.add("error", f"models.{model.key}.n_layers", *said)
