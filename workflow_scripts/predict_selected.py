"""Rule predict_selected: test images as predicted at every voxel's best layer, and by all."""

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from brainstruct.datasets.prepared import read_responses
from brainstruct.embedding.reading import Embeddings
from brainstruct.encoding import selected
from brainstruct.encoding.preset import zscore_splits
from brainstruct.encoding.scores import pearson
from brainstruct.jobs.binding import FromConfig
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


@script
def predict_selected(
    *,
    scores: Path,
    responses: Path,
    embeddings: list[Path],
    staged: Annotated[bool, FromConfig("encoding.stage_embeddings")],
    preset: str | None,
    weights: str | None,
    instruction: str,
    code: str,
    prediction: Path,
) -> None:
    """Refit the layers of one instruction with the penalties already chosen."""
    found = read_dataset(
        scores,
        ["cv_score", "alpha"],
        ["layer", "voxel"],
        select={"instruction": instruction},
        only=True,
    ).squeeze("instruction")
    stored = read_responses(responses)
    spaces = Embeddings(embeddings, stored.stimulus, staged=staged)
    train = stored.train

    def features(layer: int) -> NDArray[np.float32]:
        log.info("layer %d is predicted from", layer)
        values = spaces.layer(layer)
        return zscore_splits(values, train) if preset else values

    best = selected.predict_selected(
        found,
        zscore_splits(stored.betas, train) if preset else stored.betas,
        train,
        features,
        weights=stored.weights if weights else None,
    )
    log.info("mean r %.4f", float(np.nanmean(pearson(stored.truth, best.prediction))))
    intercept = stored.measured.mean(0, dtype=np.float64)
    result = selected.prediction_dataset(
        best,
        np.zeros_like(intercept) if preset else intercept,
        stored.tested,
        stored.voxel.values,
    ).assign_attrs(instruction=instruction, n_train=int(train.sum()), test_set=stored.test_set)
    origin = provenance(found) | {"predict_code": code}
    write_dataset(result, prediction, provenance=origin, chunks=selected.CHUNKS)
