"""Rule partition_variance: shared and unique variance of pairs of instructions."""

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from brainstruct.brain.ceilings import can_be_divided_by
from brainstruct.config.encoding import Alphas, Divisor
from brainstruct.config.statistics import PartitionSettings
from brainstruct.datasets.prepared import read_responses
from brainstruct.embedding.reading import Embeddings
from brainstruct.encoding.banded import BandedOptions
from brainstruct.encoding.components import Components, principal_components
from brainstruct.encoding.partition import SHARES, partition_layers, partition_pair
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset

MOST_KEPT = 80  # reduced feature spaces in memory: 512 components of 10,000 images are 20 MB


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
    backend: str,
    divisor: Divisor,
    seed: int,
    threads: int,
    code: str,
    partition: Path,
) -> None:
    """Fit every pair alone and together, at each instruction's selected layer."""
    torch.set_num_threads(threads)
    fitted = read_dataset(scores, ["cv_score"], ["instruction", "layer", "voxel"])
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    reliable = can_be_divided_by(space[f"ceiling_{divisor.ceiling}"], divisor.ceiling_threshold)
    layers = partition_layers(fitted, space, reliable, partition_settings.layer)
    stored = read_responses(responses)
    train, measured, truth = stored.train, stored.measured, stored.truth
    banded = BandedOptions(
        alphas=np.logspace(penalties.log10_min, penalties.log10_max, penalties.count).tolist(),
        shares=partition_settings.shares,
        folds=folds,
        seed=seed,
        device="cuda" if backend == "torch_cuda" else "cpu",
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

    found = []
    for a, b in pairs:
        one = partition_pair(
            (layers.sel(instruction=a).values, layers.sel(instruction=b).values),
            (partial(components, a), partial(components, b)),
            measured,
            truth,
            banded,
        ).assign_coords(voxel=stored.voxel.values)
        means = one.isel(voxel=np.flatnonzero(reliable.values)).mean("voxel")
        log.info("%s and %s: %s", a, b,
                 ", ".join(f"{name} {float(means[name]):z.4f}" for name in SHARES))  # fmt: skip
        found.append(one)
    result = (
        xr.concat(found, "pair")
        .assign_coords(
            pair=[f"{a}+{b}" for a, b in pairs],
            a=("pair", [a for a, _ in pairs]),
            b=("pair", [b for _, b in pairs]),
        )
        .assign_attrs(test_set=stored.test_set)
    )
    origin = {"partition": partition_settings.model_dump(), "seed": seed, "partition_code": code}
    write_dataset(result, partition, provenance=provenance(fitted) | origin)
