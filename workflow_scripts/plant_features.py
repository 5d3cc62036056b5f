"""Rules plant_features_*: what drives planted regions, computed the straightforward way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from brainstruct.datasets.nsd.design import read_expdesign, shown_images
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.stimuli import StimulusReader
from brainstruct.jobs.run import log, script
from brainstruct.models.manifest import read_manifest, require_unchanged
from brainstruct.models.opening import ModelSettings, open_model
from brainstruct.models.responding import RespondingModel
from brainstruct.models.straightforward import straightforward_states
from brainstruct.store.arrays import write_dataset

BATCH = 64


@script
def plant_features(
    *,
    manifest: Path,
    stamps: Path,
    model: str,
    model_settings: ModelSettings,
    texts: dict[str, str],
    planted_layers: dict[str, list[int]],
    sessions_of: dict[str, int],
    layout: Layout,
    threads: int,
    code: str,
    features: list[Path],
) -> None:
    """Write the states of the planted layers for every image that was shown."""
    torch.set_num_threads(threads)
    folder = require_unchanged(read_manifest(manifest), stamps)
    # The truth: on the CPU and in float32, wherever it is worked out and whatever embedding does.
    truth = replace(model_settings, pooling="response_mean", sampling=None, dtype="float32")
    network = open_model(folder, truth, device="cpu")
    if not isinstance(network, RespondingModel):
        raise TypeError(f"{model} follows no instructions; it cannot be planted")
    shown = shown_images(read_expdesign(layout.expdesign_file), sessions_of)
    with StimulusReader(layout.stimuli_file) as reader:
        for path, (key, text) in zip(features, texts.items(), strict=True):
            parts = []
            for batch in np.split(shown, range(BATCH, len(shown), BATCH)):
                images = [reader.image(stimulus) for stimulus in batch.tolist()]
                states = straightforward_states(network, images, text, planted_layers[key])
                parts.append(states.numpy())
            log.info("%s: %d images", key, len(shown))
            stored = xr.Dataset(
                {"features": (("stimulus", "layer", "feature"), np.concatenate(parts))},
                coords={
                    "stimulus": shown,
                    "layer": planted_layers[key],
                    "feature": np.arange(parts[0].shape[-1]),
                },
                attrs={"model": model, "instruction": key},
            )
            write_dataset(
                stored.transpose("layer", "stimulus", "feature"),
                path,
                provenance={"code": code, "instruction": text},
            )
