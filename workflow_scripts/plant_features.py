"""Rule plant_features: what drives planted regions, computed the straightforward way."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from brainstruct.jobs import log, run_job
from brainstruct.models.interface import ModelOptions
from brainstruct.models.registry import family_class
from brainstruct.models.responding import RespondingModel
from brainstruct.models.straightforward import straightforward_states
from brainstruct.nsd.design import read_expdesign, trial_nsd_ids
from brainstruct.nsd.locate import locate
from brainstruct.nsd.stimuli import StimulusReader
from brainstruct.store import write_dataset

BATCH = 64


def plant_features(job: Any) -> None:
    """Write the states of the planted layers for every image that was shown."""
    torch.set_num_threads(job.threads)
    layout, options = locate(job.params.layout), job.params.model
    folder = json.loads(Path(job.input.checkpoint).read_text(encoding="utf-8"))["folder"]
    model = family_class(options["family"]).load(
        ModelOptions(
            checkpoint=Path(folder),
            n_layers=options["n_layers"],
            random_seed=options["random_seed"],
            max_new_tokens=options["max_new_tokens"],
            dtype=options["dtype"],
        )
    )
    if not isinstance(model, RespondingModel):
        raise TypeError(f"{job.wildcards.model} follows no instructions; it cannot be planted")
    design = read_expdesign(layout.expdesign_file)
    shown = np.unique(
        np.concatenate(
            [
                trial_nsd_ids(design, subject, sessions)
                for subject, sessions in job.params.sessions.items()
            ]
        )
    )
    layers = job.params.layers
    parts = []
    with StimulusReader(layout.stimuli_file) as reader:
        for start in range(0, len(shown), BATCH):
            images = [reader.image(nsd_id) for nsd_id in shown[start : start + BATCH].tolist()]
            states = straightforward_states(model, images, job.params.instruction, layers)
            parts.append(states.numpy())
            log.info("%d of %d images", start + len(images), len(shown))
    features = xr.Dataset(
        {"features": (("nsd_id", "layer", "feature"), np.concatenate(parts))},
        coords={"nsd_id": shown, "layer": layers, "feature": np.arange(parts[0].shape[-1])},
        attrs={"model": job.wildcards.model, "instruction": job.wildcards.instruction},
    )
    write_dataset(
        features.transpose("layer", "nsd_id", "feature"),
        job.output[0],
        provenance={"code": job.params.code, "instruction": job.params.instruction},
    )


run_job(plant_features, globals().get("snakemake"))
