"""Rules fit_ridge_*: encoding models of some layers of one subject, model and instruction."""

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import xarray as xr

from brainstruct.config.encoding import FitSettings
from brainstruct.datasets.prepared import read_responses
from brainstruct.embedding.ahead import prefetch
from brainstruct.embedding.reading import Embeddings
from brainstruct.encoding.fitting import choose_backend, choose_fit
from brainstruct.encoding.permutation import Chance, PermutationTest
from brainstruct.encoding.resampling import N_DRAWS, Resampler, image_weights
from brainstruct.encoding.ridge import Finish
from brainstruct.encoding.selected import CHUNKS, BestPrediction, prediction_dataset
from brainstruct.jobs.binding import FromConfig
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import write_dataset


# Long: it reads as the method does, from files to files, with its arguments above.
@script
def fit_ridge(
    *,
    responses: Path,
    embeddings: list[Path],
    encoding: FitSettings,
    seed: int,
    instruction: str,
    targets_per_batch: Annotated[int, FromConfig("encoding.targets_per_batch")],
    backend: Annotated[str, FromConfig("encoding.backend")],
    staged: Annotated[bool, FromConfig("encoding.stage_embeddings")],
    threads: int,
    gpus: int,
    code: str,
    fits: list[Path],
    prediction: Path | None,
) -> None:
    """Fit one layer after another; write one file each, and the best predictions."""
    torch.set_num_threads(threads)
    if encoding.preset:
        log.info(
            "preset %s: encoding.alphas, .folds, .alpha_score, .solver and "
            "alignment.layers are its own, not the configuration's",
            encoding.preset,
        )
    settings = encoding.model_dump(exclude_unset=True)
    engine = choose_backend(backend, gpus)
    stored = read_responses(responses)
    fit = choose_fit(settings, seed=seed, targets_per_batch=targets_per_batch, backend=engine)
    start = partial(fit.start, weights=stored.weights) if encoding.weights else fit.start
    spaces = Embeddings(embeddings, stored.stimulus, staged=staged)
    train, measured, truth = stored.train, stored.measured, stored.truth
    log.info("%d training and %d test images, %d voxels, by %s", *measured.shape[:1],
             *truth.shape, engine)  # fmt: skip
    wanted = encoding.permutations
    test = PermutationTest(truth, n_permutations=wanted, seed=seed) if wanted else None
    best = BestPrediction(*truth.shape)
    resampler = Resampler(truth, image_weights(stored.tested, N_DRAWS, seed))
    origin = {
        "encoding": settings,
        "seed": seed,
        "fit_code": code,
        "himalaya": version("himalaya"),
        "responses": stored.provenance,
        "embedding": spaces.provenance,
    }
    layers = {int(path.stem.removeprefix("layer-")): path for path in fits}

    def begin(layer: int) -> Finish:
        features = spaces.layer(layer)
        X, X_test = features[train], features[~train]
        del features
        return start(X, X_test)

    responded = fit.targets(measured, truth)
    # The next one is begun while this one is fitted.
    for layer, finish in prefetch(begin, layers, ahead=1):
        scores = finish(responded)
        early = scores.early
        best.offer(layer, scores.prediction, scores.cv_score)
        log.info("layer %d: mean r %.4f", layer, float(np.nanmean(scores.r)))
        if early.matters(truth.shape[1]):
            cure = "the preset's grid ends early" if encoding.preset else "widen encoding.alphas"
            log.warning(
                "layer %d: %s: %d of %d voxels are predicted with a penalty at its end, and their "
                "mean r could rise by %.3f beyond it", layer, cure, early.n_voxels, truth.shape[1],
                early.gain,
            )  # fmt: skip
        untested = np.full(truth.shape[1], np.nan, np.float32)
        chance = test.test(scores.prediction) if test else Chance(untested, untested)
        result = xr.Dataset(
            {
                name: ("voxel", getattr(scores, name))
                for name in ("r", "r2", "cv_score", "alpha", "at_edge")
            }
            | {name: ("voxel", values) for name, values in chance._asdict().items()},
            coords={"voxel": stored.voxel},
            attrs={
                "n_train": len(measured),
                "n_test": len(truth),
                "test_set": stored.test_set,
                "n_features": spaces.n_features,
                "backend": engine,
                "n_permutations": test.n_permutations if test else 0,
                "smallest_p": test.floor if test else np.nan,
                "n_at_edge": early.n_voxels,
                "edge_gain": early.gain,
                "instruction": instruction,
                "layer": layer,
            },
        )
        if len(scores.cv_blocks):
            # As differences from the mean: half precision is relative.
            deviation = (scores.cv_blocks - scores.cv_score).astype(np.float16)
            result["cv_deviation"] = ("block", "voxel"), deviation
            result["block"] = np.arange(len(deviation))
        deviation = (resampler.correlate(scores.prediction) - scores.r).astype(np.float16)
        result["r_deviation"] = ("draw", "voxel"), deviation
        result["draw"] = np.arange(N_DRAWS)
        write_dataset(result, layers[layer], provenance=origin)
    if prediction is not None:
        result = prediction_dataset(
            best,
            # What the preset predicts is in units of its own, about zero.
            np.zeros(truth.shape[1]) if encoding.preset else measured.mean(0, dtype=np.float64),
            stored.tested,
            stored.voxel.values,
        ).assign_attrs(instruction=instruction, n_train=len(measured), test_set=stored.test_set)
        write_dataset(result, prediction, provenance=origin, chunks=CHUNKS)
