"""Rule predict_selected: test images as predicted at every voxel's selected layer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainstruct.encoding.features import layer_features, matching_images
from brainstruct.encoding.preset import zscore_splits
from brainstruct.encoding.scores import pearson
from brainstruct.encoding.selected import predict_selected, prediction_dataset
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import open_dataset, provenance, read_dataset, write_dataset

VOXELS_PER_CHUNK = 1000


def predict(job: Any) -> None:
    """Refit the selected layers of one instruction with the penalties already chosen."""
    scores = read_dataset(
        job.input.scores,
        ["cv_score", "alpha"],
        ["layer", "voxel"],
        select={"instruction": job.wildcards.instruction},
        only=True,
    ).squeeze("instruction")
    origin = provenance(scores)
    responses = read_dataset(job.input.responses, ["betas", "split"], ["nsd_id", "voxel"])
    blocks = [
        open_dataset(path, ["embedding"], ["layer", "nsd_id"]) for path in job.input.embeddings
    ]
    rows = matching_images(responses["nsd_id"], [block["nsd_id"] for block in blocks])
    train = (responses["split"] == "train").values
    betas = responses["betas"].transpose("nsd_id", "voxel").values

    def features(layer: int) -> NDArray[np.float32]:
        values = layer_features(blocks, layer, rows)
        return zscore_splits(values, train) if job.params.preset else values

    predictions, layer = predict_selected(
        scores,
        zscore_splits(betas, train) if job.params.preset else betas,
        train,
        features,
        progress=lambda layer, count: log.info("layer %d: %d voxels", layer, count),
    )
    log.info("mean r %.4f", float(np.nanmean(pearson(betas[~train], predictions))))
    intercept = betas[train].mean(0, dtype=np.float64)
    result = prediction_dataset(
        predictions,
        layer,
        np.zeros_like(intercept) if job.params.preset else intercept,
        responses["nsd_id"].values[~train],
        responses["voxel"].values,
    ).assign_attrs(instruction=job.wildcards.instruction, n_train=int(train.sum()))
    write_dataset(
        result,
        job.output[0],
        provenance=origin | {"predict_code": job.params.code},
        chunks={"prediction": {"voxel": VOXELS_PER_CHUNK}},
    )


run_job(predict, globals().get("snakemake"))
