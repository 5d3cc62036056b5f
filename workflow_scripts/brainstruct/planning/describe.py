"""Command ``make describe``: what a checkpoint would be in a study, told by its small files."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from brainstruct.config.files import add_configfile, read_config
from brainstruct.config.loading import load_study
from brainstruct.config.models import Model
from brainstruct.config.study import Study
from brainstruct.errors import InputError
from brainstruct.models.fetch import small_files
from brainstruct.models.files import fetch_cure
from brainstruct.models.kinds import family_of
from brainstruct.models.opening import outline
from brainstruct.models.responding import RespondingModel
from brainstruct.planning.jobs import Job
from brainstruct.planning.networks import network_of
from brainstruct.planning.plan import make_plan
from brainstruct.planning.report import shown_hours, shown_size
from brainstruct.settings.base import LONGEST_KEY, Block
from brainstruct.store.files import read_json
from brainstruct.store.resources import parser_beside
from brainstruct.workflow.rooms import Rooms


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = parser_beside(__file__, add_configfile).parse_args(arguments)
    try:
        config, key = read_config(options.configfile), options.model
        if options.checkpoint:
            config, key = with_checkpoint(config, options.checkpoint, options.revision)
        study = load_study(config)
        print(describe(study, study.model(key)))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def describe(study: Study, model: Model) -> str:
    """Return the entries of a model in a configuration, and what follows from them.

    What follows stands behind ``#``: of what the network is made, its prompt, and what one
    subject of the study would take, by the arithmetic of ``plan``. An `InputError` if the
    checkpoint's small files cannot be had, or the model cannot be built of them.
    """
    name = model.checkpoint
    options = {one: getattr(model, one) for one in ("prompt", "chat", "thinking_tokens")}
    network = outline(_folder(study, name), model.family, model.n_layers, **options)
    size = sum(parameter.numel() for parameter in network.network.parameters())
    shown = [bits for bits in (16, 8, 4) if bits <= network_of(study, model).bits]
    held = ", ".join(f"{size * bits / 8e9:.1f} GB in {bits} bits" for bits in shown)
    told = [
        f"{network.n_layers - 1} blocks, states of {network.feature_dim} numbers",
        f"{size / 1e9:.3g} billion parameters: {held}",
        *(_prompt(study, model, network) if isinstance(network, RespondingModel) else ()),
        _cost(study, model),
    ]
    entries = [
        f"checkpoints:\n  {name}: {_line(study.checkpoints[name])}",
        f"models:\n  - {_line(model)}",
    ]
    return "\n".join([*entries, *(f"# {line}" for line in told)])


def with_checkpoint(
    config: dict[str, Any], named: str, revision: str = "main"
) -> tuple[dict[str, Any], str]:
    """Return a configuration with a model of a repository, or of a folder, and the model's key.

    It raises what `describe` does.
    """
    source = {"path": named} if Path(named).is_dir() else {"hub": named, "revision": revision}
    label = Path(named).name
    key = re.sub(r"[^a-z0-9]+", "-", label.lower())[:LONGEST_KEY].strip("-")
    config = config | {"checkpoints": config["checkpoints"] | {key: source}}
    folder = _folder(load_study(config), key)
    family = family_of(folder, read_json(folder / "config.json", fetch_cure(folder)))
    entry: dict[str, Any] = {"key": key, "label": label, "family": family, "checkpoint": key}
    others = [
        one for one in config["models"] if {key, label}.isdisjoint((one["key"], one["label"]))
    ]
    entry["n_layers"] = outline(folder, family).n_layers
    return config | {"models": [*others, entry]}, key


def _folder(study: Study, checkpoint: str) -> Path:
    """Return a folder that holds the small files of a checkpoint."""
    source = study.checkpoints[checkpoint]
    folder = Path(Rooms.of(study).models.checkpoint_folder(checkpoint))
    if source.path is not None or source.hub is None:
        return folder
    return small_files(source.hub, source.revision, folder, source.endpoint)


def _prompt(study: Study, model: Model, network: RespondingModel) -> Iterator[str]:
    """Tell how a model is asked first, and how much of that is the image."""
    edge, key = study.dataset.about.image_edge, study.instructions_of(model)[0]
    text = study.instruction_texts[key].text
    try:
        ids = network.prepare([Image.new("RGB", (edge, edge))], [text])["input_ids"][0].tolist()
        yield f"prompt for {key}: {json.dumps(network.prompt(text), ensure_ascii=False)}"
    except InputError as error:  # all else is of use without it
        yield f"no prompt for {key}: {error}"
    else:
        image = sum(one < 0 or one in network.decoding.forbidden_ids for one in ids)
        yield f"tokens of it: {len(ids)}, of which an image of {edge} x {edge} has {image}"


def _cost(study: Study, model: Model) -> str:
    """Tell what ``plan`` makes of a model, for the first subject."""
    subject = study.subjects[0]
    alone = study.model_copy(update={"models": [model], "subjects": [subject]})
    rooms, instructions = Rooms.of(alone), study.instructions_of(model)
    wild = {"model": model.key, "subject": subject}
    jobs = [
        Job("embed", (), (path,), wild | {"block": Path(path).stem}, gpus=1)
        for path in rooms.models.all_embeddings
    ] + [
        Job(
            "fit_ridge",
            tuple(rooms.models.embeddings_of(subject, model.key, one)),
            tuple(rooms.encoding.fit(subject, model.key, one, n) for n in model.fitted_layers),
            wild,
            threads=study.encoding.threads,
        )
        for one in instructions
    ]
    plan = make_plan(alone, jobs, jobs)
    embed, fit = plan.stages
    states = next(one for one in plan.folders if one.folder == f"{rooms.data.root}/embeddings")
    return (
        f"plan for {subject}, {len(instructions)} instruction(s): {shown_hours(embed.gpu_hours)} "
        f"GPU hours, {shown_size(states.whole_bytes)} of embeddings, "
        f"{shown_hours(fit.core_hours)} core hours of fits"
    )


def _line(entry: Block) -> str:
    """Write what was set in a block on one line of YAML."""
    content = entry.model_dump(exclude_unset=True)
    style = {"default_flow_style": True, "sort_keys": False, "allow_unicode": True}
    return str(yaml.safe_dump(content, width=float("inf"), **style)).strip()


if __name__ == "__main__":
    raise SystemExit(main())
