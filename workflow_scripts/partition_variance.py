"""Rule partition_variance: shared and unique variance of pairs of instructions."""

from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
import xarray as xr

from brainstruct.brain.ceilings import can_be_divided_by
from brainstruct.encoding.banded import BandedOptions
from brainstruct.encoding.components import Components, principal_components
from brainstruct.encoding.features import layer_features, matching_images
from brainstruct.encoding.partition import SHARES, partition_layers, partition_pair
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import open_dataset, provenance, read_dataset, write_dataset

MOST_KEPT = 80
"""Reduced feature spaces kept in memory: 512 components of 10,000 images are 20 MB."""


def partition_variance(job: Any) -> None:
    """Fit every pair alone and together, at each instruction's selected layer."""
    torch.set_num_threads(job.threads)
    options, pairs = job.params.partition, [tuple(pair) for pair in job.params.pairs]
    grid = job.params.encoding["alphas"]
    scores = read_dataset(job.input.scores, ["cv_score"], ["instruction", "layer", "voxel"])
    space = read_dataset(job.input.ceiling, ["roi_label"], ["voxel"])
    ceiling = space[f"ceiling_{job.params.alignment['ceiling']}"]
    reliable = can_be_divided_by(ceiling, job.params.alignment["ceiling_threshold"])
    layers = partition_layers(scores, space, reliable, options["layer"])
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

    @lru_cache(MOST_KEPT)
    def components(name: str, layer: int) -> Components:
        paths = job.params.embeddings[name]
        found = _components(paths, responses["nsd_id"], train, layer, options["components"])
        log.info("%s, layer %d: %d components keep %.2f %% of the variance", name, layer,
                 found.train.shape[1], 100 * found.variance_kept)  # fmt: skip
        return found

    found = []
    for a, b in pairs:
        one = partition_pair(
            (layers.sel(instruction=a).values, layers.sel(instruction=b).values),
            (partial(components, a), partial(components, b)),
            betas[train],
            betas[~train],
            banded,
        ).assign_coords(voxel=responses["voxel"].values)
        means = one.isel(voxel=np.flatnonzero(reliable.values)).mean("voxel")
        log.info("%s and %s: %s", a, b,
                 ", ".join(f"{name} {float(means[name]):.4f}" for name in SHARES))  # fmt: skip
        found.append(one)
    result = xr.concat(found, "pair").assign_coords(
        pair=[f"{a}+{b}" for a, b in pairs],
        a=("pair", [a for a, _ in pairs]),
        b=("pair", [b for _, b in pairs]),
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
