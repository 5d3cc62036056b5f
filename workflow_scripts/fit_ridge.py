"""Rules fit_ridge_*: encoding models of some layers of one subject, model and instruction."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from brainstruct.encoding.features import layer_features, matching_images
from brainstruct.encoding.fitting import choose_fit
from brainstruct.encoding.permutation import PermutationTest
from brainstruct.encoding.selected import BestPrediction, prediction_dataset
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import open_dataset, provenance, read_dataset, write_dataset

EDGE_WARNING = 0.05
VOXELS_PER_CHUNK = 1000


def fit_layers(job: Any) -> None:
    """Fit one layer after another; write one file each, and the best predictions."""
    torch.set_num_threads(job.threads)
    encoding = job.params.encoding
    preset = encoding["preset"]
    if preset:
        log.info("preset %s: encoding.alphas, .folds, .alpha_score, .solver and "
                 "alignment.layers are its own, not the configuration's", preset)  # fmt: skip
    fit = choose_fit(
        encoding,
        seed=job.params.seed,
        targets_per_batch=job.config["encoding"]["targets_per_batch"],
    )
    responses = read_dataset(job.input.responses, ["betas", "split"], ["nsd_id", "voxel"])
    blocks = [
        open_dataset(path, ["embedding"], ["layer", "nsd_id"]) for path in job.input.embeddings
    ]
    rows = matching_images(responses["nsd_id"], [block["nsd_id"] for block in blocks])
    train = (responses["split"] == "train").values
    betas = responses["betas"].transpose("nsd_id", "voxel").values
    measured, truth = betas[train], betas[~train]
    log.info("%d training and %d test images, %d voxels", *measured.shape[:1], *truth.shape)
    wanted = encoding["permutations"]
    test = PermutationTest(truth, n_permutations=wanted, seed=job.params.seed) if wanted else None
    best = BestPrediction(*truth.shape)
    origin = {
        "encoding": encoding,
        "seed": job.params.seed,
        "fit_code": job.params.code,
        "himalaya": version("himalaya"),
        "responses": provenance(responses),
        "embedding": provenance(blocks[0]),
    }
    for path in job.output.layers:
        layer = int(Path(path).stem.removeprefix("layer-"))
        features = layer_features(blocks, layer, rows)
        scores = fit(features[train], measured, features[~train], truth)
        best.offer(layer, scores.prediction, scores.cv_score)
        edge = float(scores.at_edge.mean())
        log.info("layer %d: mean r %.4f, %.1f %% of voxels at the edge of the alpha grid",
                 layer, float(np.nanmean(scores.r)), 100 * edge)  # fmt: skip
        if edge > EDGE_WARNING:
            cure = "the preset's grid ends early" if preset else "widen encoding.alphas"
            log.warning("layer %d: %s, its edge is chosen often", layer, cure)
        p = test.p(scores.prediction) if test else np.full(truth.shape[1], np.nan, np.float32)
        result = xr.Dataset(
            {
                **{
                    name: ("voxel", getattr(scores, name))
                    for name in ("r", "r2", "cv_score", "alpha", "at_edge")
                },
                "p": ("voxel", p),
            },
            coords={"voxel": responses["voxel"]},
            attrs={
                "n_train": len(measured),
                "n_test": len(truth),
                "n_features": features.shape[1],
                "n_permutations": test.n_permutations if test else 0,
                "fraction_at_edge": edge,
                "instruction": job.wildcards.instruction,
                "layer": layer,
            },
        )
        write_dataset(result, path, provenance=origin)
    if job.output.prediction:
        result = prediction_dataset(
            best.prediction,
            best.layer,
            # What the preset predicts is in units of its own, about zero.
            np.zeros(truth.shape[1]) if preset else measured.mean(0, dtype=np.float64),
            responses["nsd_id"].values[~train],
            responses["voxel"].values,
        ).assign_attrs(instruction=job.wildcards.instruction, n_train=len(measured))
        chunks = {"prediction": {"voxel": VOXELS_PER_CHUNK}}
        write_dataset(result, job.output.prediction, provenance=origin, chunks=chunks)


run_job(fit_layers, globals().get("snakemake"))
