"""Rule partition_variance: shared and unique variance of pairs of instructions."""

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import xarray as xr

from brainstruct.brain.ceilings import usable_ceiling
from brainstruct.config.encoding import Alphas, Divisor
from brainstruct.config.statistics import PartitionSettings
from brainstruct.datasets.prepared import read_responses
from brainstruct.embedding.reading import Embeddings
from brainstruct.encoding.banded import BandedOptions
from brainstruct.encoding.comparison import ComparisonOptions
from brainstruct.encoding.components import Components, principal_components
from brainstruct.encoding.fitting import choose_backend
from brainstruct.encoding.partition import (
    PLANTED,
    calibrate,
    full_r2,
    partition_layers,
    partition_pair,
    share_draws,
)
from brainstruct.encoding.regions import regions
from brainstruct.encoding.shares import SHARES
from brainstruct.jobs.binding import FromConfig
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset

MOST_KEPT = 80  # reduced feature spaces in memory: 512 components of 10,000 images are 20 MB

LOST = 0.1  # share of the R2 of all features that components may lose without a word


# Long: it reads as the method does, from files to a file, with its arguments above.
@script
def partition_variance(
    *,
    scores: Path,
    ceiling: Path,
    responses: Path,
    embeddings: dict[str, list[Path]],
    pairs: list[tuple[str, str]],
    partition_settings: PartitionSettings,
    penalties: Alphas,
    folds: int,
    backend: Annotated[str, FromConfig("encoding.backend")],
    weights: str | None,
    divisor: Divisor,
    statistics: ComparisonOptions,
    mask: str,
    seed: int,
    threads: int,
    gpus: int,
    code: str,
    partition: Path,
) -> None:
    """Fit every pair alone and together, at each instruction's selected layer."""
    torch.set_num_threads(threads)
    fitted = read_dataset(scores, ["cv_score", "r2"], ["instruction", "layer", "voxel"])
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    usable = usable_ceiling(space, divisor.ceiling, divisor.ceiling_threshold)
    reliable, places = usable.notnull(), list(regions(space, mask))
    layers = partition_layers(fitted, space, reliable, partition_settings.layer)
    stored = read_responses(responses)
    train, measured, truth = stored.train, stored.measured, stored.truth
    engine = choose_backend(backend, gpus)
    labelled = xr.DataArray(truth, dims=("stimulus", "voxel"), coords={"stimulus": stored.tested})
    banded = BandedOptions(
        alphas=np.logspace(penalties.log10_min, penalties.log10_max, penalties.count).tolist(),
        shares=partition_settings.shares,
        folds=folds,
        seed=seed,
        device="cuda" if engine == "torch_cuda" else "cpu",
    )

    @lru_cache(MOST_KEPT)
    def components(name: str, layer: int) -> Components:
        spaces = Embeddings(embeddings[name], stored.stimulus)
        features = spaces.layer(layer)
        spaces.close()
        kept = principal_components(
            features[train], features[~train], partition_settings.components
        )
        log.info("%s, layer %d: %d components keep %.2f %% of the variance", name, layer,
                 kept.train.shape[1], 100 * kept.variance_kept)  # fmt: skip
        return kept

    found, joint = [], list[float]()
    for a, b in pairs:
        one = partition_pair(
            (layers.sel(instruction=a).values, layers.sel(instruction=b).values),
            (partial(components, a), partial(components, b)),
            measured,
            truth,
            replace(banded, weights=stored.weights if weights else None),
        ).assign_coords(voxel=stored.voxel.values)
        one["region_draws"] = share_draws(labelled, one["prediction"], usable, places, statistics)
        one = one.drop_vars("prediction")
        for side, name in zip("ab", (a, b), strict=True):
            chosen = layers.sel(instruction=name).values
            one[f"r2_full_{side}"] = ("voxel", full_r2(fitted, name, chosen))
        means = one.isel(voxel=np.flatnonzero(reliable.values)).mean("voxel")
        for side, name in zip("ab", (a, b), strict=True):
            whole, kept = float(means[f"r2_full_{side}"]), float(means[f"r2_{side}"])
            if whole - kept > LOST * abs(whole):
                log.warning(
                    "%d components of %s explain R2 %.4f of the responses, all features %.4f: what "
                    "is lost moves between shared and unique; raise partition.components",
                    partition_settings.components, name, kept, whole,
                )  # fmt: skip
        log.info("%s and %s: %s", a, b,
                 ", ".join(f"{name} {float(means[name]):z.4f}" for name in SHARES))  # fmt: skip
        found.append(one)
        joint.append(float(means["r2_joint"]))
    result = (
        xr.concat(found, "pair")
        .assign_coords(
            pair=[f"{a}+{b}" for a, b in pairs],
            a=("pair", [a for a, _ in pairs]),
            b=("pair", [b for _, b in pairs]),
        )
        .assign_attrs(test_set=stored.test_set, confidence=statistics.confidence, backend=engine)
    )
    # The same number of images and components for all pairs: one calibration serves them.
    first, second = (
        components(name, int(layers.sel(instruction=name)[reliable.values.argmax()]))
        for name in pairs[0]
    )
    level = float(np.clip(np.mean(joint), 0.01, 0.9))
    result["calibration"] = calibrate(first, second, level, banded)
    for planted, came in zip(PLANTED, result["calibration"].values, strict=True):
        log.info("of R2 %.3f, a shared part of %.2f comes out as %.2f", level, planted, came)
    origin = {"partition": partition_settings.model_dump(), "seed": seed, "partition_code": code}
    origin |= {"n_draws": statistics.n_draws}
    write_dataset(result, partition, provenance=provenance(fitted) | origin)
