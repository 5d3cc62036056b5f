"""Rule partition_variance: shared and unique variance of pairs of instructions."""

from typing import Any

import numpy as np
import torch
import xarray as xr

from brainstruct.encoding.banded import BandedOptions, fit_pair
from brainstruct.encoding.components import Components, principal_components
from brainstruct.encoding.features import layer_features, matching_images
from brainstruct.encoding.partition import SHARES, partition, partition_layers
from brainstruct.jobs import log, run_job
from brainstruct.store import open_dataset, provenance, read_dataset, write_dataset


def partition_variance(job: Any) -> None:
    """Fit every pair alone and together, at each instruction's selected layer."""
    torch.set_num_threads(job.threads)
    options, pairs = job.params.partition, [tuple(pair) for pair in job.params.pairs]
    grid = job.params.encoding["alphas"]
    scores = read_dataset(job.input.scores, ["cv_score"], ["instruction", "layer", "voxel"])
    space = read_dataset(job.input.ceiling, ["roi_label"], ["voxel"])
    ceiling = space[f"ceiling_{job.params.alignment['ceiling']}"]
    reliable = ceiling >= job.params.alignment["ceiling_threshold"]
    layers = partition_layers(scores, reliable, options["layer"])
    responses = read_dataset(job.input.responses, ["betas", "split"], ["nsd_id", "voxel"])
    train = (responses["split"] == "train").values
    betas = responses["betas"].transpose("nsd_id", "voxel").values
    banded = BandedOptions(
        alphas=np.logspace(grid["log10_min"], grid["log10_max"], grid["count"]).tolist(),
        shares=options["shares"],
        folds=job.params.encoding["folds"],
        seed=job.params.seed,
        device="cuda" if job.params.encoding["backend"] == "torch_cuda" else "cpu",
    )
    components = {}
    for name in dict.fromkeys(key for pair in pairs for key in pair):
        paths = job.params.embeddings[name]
        components[name] = _components(
            paths, responses["nsd_id"], train, layers[name], options["components"]
        )
        log.info("%s, layer %d: %d components keep %.2f %% of the variance", name, layers[name],
                 components[name].train.shape[1],
                 100 * components[name].variance_kept)  # fmt: skip
    found = []
    for a, b in pairs:
        fit = fit_pair(components[a], components[b], betas[train], betas[~train], banded)
        one = partition(fit).assign_coords(voxel=responses["voxel"].values)
        means = one.isel(voxel=np.flatnonzero(reliable.values)).mean("voxel")
        log.info("%s and %s: %s", a, b,
                 ", ".join(f"{name} {float(means[name]):.4f}" for name in SHARES))  # fmt: skip
        found.append(one)
    result = xr.concat(found, "pair").assign_coords(pair=[f"{a}+{b}" for a, b in pairs])
    for row, side in enumerate("ab"):
        keys = [pair[row] for pair in pairs]
        result = result.assign_coords(
            {
                side: ("pair", keys),
                f"layer_{side}": ("pair", [layers[key] for key in keys]),
                f"variance_kept_{side}": ("pair", [components[k].variance_kept for k in keys]),
            }
        )
    origin = provenance(scores) | {
        "partition": dict(options), "seed": job.params.seed, "partition_code": job.params.code,
    }  # fmt: skip
    write_dataset(result, job.output[0], provenance=origin)


def _components(
    paths: list[str], wanted: xr.DataArray, train: np.ndarray, layer: int, count: int
) -> Components:
    blocks = [open_dataset(path, ["embedding"], ["layer", "nsd_id"]) for path in paths]
    rows = matching_images(wanted, [block["nsd_id"] for block in blocks])
    features = layer_features(blocks, layer, rows)
    for block in blocks:
        block.close()
    return principal_components(features[train], features[~train], count)


run_job(partition_variance, globals().get("snakemake"))
