"""Rule plant_features: what drives planted regions, computed the straightforward way."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from brainstruct.jobs.run import log, run_job
from brainstruct.models.manifest import read_manifest, require_unchanged
from brainstruct.models.opening import open_model
from brainstruct.models.responding import RespondingModel
from brainstruct.models.straightforward import straightforward_states
from brainstruct.nsd.design import read_expdesign, trial_nsd_ids
from brainstruct.nsd.locate import locate
from brainstruct.nsd.stimuli import StimulusReader
from brainstruct.store.arrays import write_dataset

BATCH = 64


def shown_images(job: Any) -> NDArray[np.int64]:
    """Return the nsd_id of every image that some subject saw, sorted."""
    design = read_expdesign(locate(job.params.layout).expdesign_file)
    return np.unique(
        np.concatenate(
            [
                trial_nsd_ids(design, subject, sessions)
                for subject, sessions in job.params.sessions.items()
            ]
        )
    )


def plant_features(job: Any) -> None:
    """Write the states of the planted layers for every image that was shown."""
    torch.set_num_threads(job.threads)
    settings, name = job.params.model, job.params.model_key
    manifest = read_manifest(Path(job.input.checkpoint), Path(job.params.stamps))
    folder = require_unchanged(manifest)
    # The truth: on the CPU and in float32, wherever it is worked out and whatever embedding does.
    truth = {**settings, "pooling": "response_mean", "sampling": None, "dtype": "float32"}
    model = open_model(folder, truth, device="cpu")
    if not isinstance(model, RespondingModel):
        raise TypeError(f"{name} follows no instructions; it cannot be planted")
    shown = shown_images(job)
    with StimulusReader(locate(job.params.layout).stimuli_file) as reader:
        for path, (key, text) in zip(job.output, job.params.instructions.items(), strict=True):
            layers = job.params.layers[key]
            parts = []
            for batch in np.split(shown, range(BATCH, len(shown), BATCH)):
                images = [reader.image(nsd_id) for nsd_id in batch.tolist()]
                parts.append(straightforward_states(model, images, text, layers).numpy())
            log.info("%s: %d images", key, len(shown))
            features = xr.Dataset(
                {"features": (("nsd_id", "layer", "feature"), np.concatenate(parts))},
                coords={
                    "nsd_id": shown,
                    "layer": layers,
                    "feature": np.arange(parts[0].shape[-1]),
                },
                attrs={"model": name, "instruction": key},
            )
            write_dataset(
                features.transpose("layer", "nsd_id", "feature"),
                path,
                provenance={"code": job.params.code, "instruction": text},
            )


run_job(plant_features, globals().get("snakemake"))
