"""Rule fit_ridge: encoding models of some layers of one subject, model and instruction."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from brainstruct.encoding.features import layer_features, matching_images
from brainstruct.encoding.ridge import RidgeOptions, fit_ridge
from brainstruct.jobs import log, run_job
from brainstruct.store import open_dataset, provenance, read_dataset, write_dataset

EDGE_WARNING = 0.05


def fit_layers(job: Any) -> None:
    """Fit one layer after another; write one file each."""
    torch.set_num_threads(job.threads)
    encoding = job.params.encoding
    grid = encoding["alphas"]
    options = RidgeOptions(
        alphas=np.logspace(grid["log10_min"], grid["log10_max"], grid["count"]).tolist(),
        folds=encoding["folds"],
        seed=job.params.seed,
        alpha_score=encoding["alpha_score"],
        backend=encoding["backend"],
        solver=encoding["solver"],
        targets_per_batch=job.config["encoding"]["targets_per_batch"],
    )
    responses = read_dataset(job.input.responses, ["betas", "split"], ["nsd_id", "voxel"])
    blocks = [
        open_dataset(path, ["embedding"], ["layer", "nsd_id"]) for path in job.input.embeddings
    ]
    rows = matching_images(responses["nsd_id"], [block["nsd_id"] for block in blocks])
    train = (responses["split"] == "train").values
    betas = responses["betas"].transpose("nsd_id", "voxel").values
    log.info(
        "%d training and %d test images, %d voxels", train.sum(), (~train).sum(), betas.shape[1]
    )
    for path in job.output:
        layer = int(Path(path).stem.removeprefix("layer-"))
        features = layer_features(blocks, layer, rows)
        scores = fit_ridge(features[train], betas[train], features[~train], betas[~train], options)
        edge = float(scores.at_edge.mean())
        log.info("layer %d: mean r %.4f, %.1f %% of voxels at the edge of the alpha grid",
                 layer, float(np.nanmean(scores.r)), 100 * edge)  # fmt: skip
        if edge > EDGE_WARNING:
            log.warning("layer %d: widen encoding.alphas, the grid's edge is chosen often", layer)
        result = xr.Dataset(
            {
                name: ("voxel", getattr(scores, name))
                for name in ("r", "r2", "cv_score", "alpha", "at_edge")
            },
            coords={"voxel": responses["voxel"]},
            attrs={
                "n_train": int(train.sum()),
                "n_test": int((~train).sum()),
                "n_features": features.shape[1],
                "fraction_at_edge": edge,
                "instruction": job.wildcards.instruction,
                "layer": layer,
            },
        )
        origin = {
            "encoding": encoding,
            "seed": job.params.seed,
            "fit_code": job.params.code,
            "responses": provenance(responses),
            "embedding": provenance(blocks[0]),
        }
        write_dataset(result, path, provenance=origin)


run_job(fit_layers, globals().get("snakemake"))
