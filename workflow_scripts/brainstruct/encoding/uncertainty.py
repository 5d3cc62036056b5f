"""How sure scores are, of every instruction and their mean: against chance, and over images.

Both take the test images as predicted by a single column per voxel, x: at its selected layer, or by
the mean over layers of scaled predictions. Where scores are averaged (over layers, over
instructions), the permutations that all have in common give the exact p of the mean: correlations
with one response add up as the predictions do once each is scaled to standard deviation 1.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.encoding.alignment import LayerRule
from brainstruct.encoding.columns import Array, batches, centre, zscore
from brainstruct.encoding.comparison import ComparisonOptions
from brainstruct.encoding.permutation import Chance, PermutationTest
from brainstruct.encoding.regions import Region, label_draws, ratio_weights
from brainstruct.encoding.resampling import Resampler, image_weights

MEAN = "mean"
"""Instruction key of the mean over a model's instructions."""

PREDICTED: dict[LayerRule, str] = {"best": "prediction", "mean": "layer_mean"}
"""Which of the stored predictions stands for the score of an instruction."""


def against_chance(
    predictions: Mapping[str, xr.DataArray], test: PermutationTest | None, rule: LayerRule
) -> xr.Dataset:
    """Test the scores of every instruction, and their mean, against chance.

    `predictions` are those of `PREDICTED` with dims stimulus, voxel, and may be lazy; without a
    test all is NaN. Returns ``p`` and ``p_fwe`` with dims instruction, voxel, `MEAN` last.
    """
    first = next(iter(predictions.values()))
    voxels = first["voxel"].values
    found = {}
    total = np.zeros((first.sizes["stimulus"], voxels.size), dtype=np.float32)
    for name, prediction in predictions.items():
        x = _column(prediction, rule)
        total += x
        found[name] = _tested(x, test)
    found[MEAN] = _tested(total, test)
    stacked = {
        field: np.stack([getattr(one, field) for one in found.values()]) for field in Chance._fields
    }
    return xr.Dataset(
        {field: (("instruction", "voxel"), values) for field, values in stacked.items()},
        coords={"instruction": list(found), "voxel": voxels},
    )


def over_images(
    truth: xr.DataArray,
    predictions: Mapping[str, xr.DataArray],
    ceiling: xr.DataArray,
    regions: Sequence[Region],
    *,
    rule: LayerRule,
    options: ComparisonOptions,
) -> xr.DataArray:
    """Bootstrap the regional alignment of every instruction, and of their mean, over test images.

    Images weigh the same as in `brainstruct.encoding.comparison.compare_groups`, in every subject
    and model; ceilings are NaN where scores cannot be divided by them. A mean over layers is
    resampled as the correlation with x, times the standard deviation of x on all images.

    Returns dims instruction (`MEAN` last), region, draw; coordinates ``family`` and ``label`` on
    region. NaN where no voxel of the region has a ceiling.
    """
    measured = truth.transpose("stimulus", "voxel").values
    parts = list(batches(truth.sizes["voxel"], options.voxels_at_once))
    varies = np.concatenate([centre(measured[:, here])[1] for here in parts]) != 0
    shares = ratio_weights(regions, np.where(varies, ceiling.values, np.nan))
    weights = image_weights(truth["stimulus"].values, options.n_draws, options.seed)
    draws = np.zeros((len(predictions) + 1, options.n_draws, len(regions)))
    for here in parts:
        resampler = Resampler(measured[:, here].astype(np.float32), weights)
        for row, prediction in enumerate(predictions.values()):
            x = _column(prediction.isel(voxel=here), rule)
            r = resampler.correlate(x) * x.std(0)
            draws[row] += np.nan_to_num(r) @ shares[here]
    draws[-1] = draws[:-1].mean(0)
    draws[:, :, shares.sum(0) == 0] = np.nan
    found = xr.DataArray(draws, dims=("instruction", "draw", "region"))
    return label_draws(found.assign_coords(instruction=[*predictions, MEAN]), regions)


def over_images_by_layer(
    fits: Iterable[xr.Dataset], ceiling: xr.DataArray, regions: Sequence[Region]
) -> xr.DataArray:
    """Bootstrap the same of every layer, from the draws that its fit keeps.

    Fits, instruction by instruction, have ``r`` (voxel) and ``r_deviation`` (draw, voxel), what the
    r of a draw is above it; images weigh the same in all, and as in `over_images`. Returns dims
    instruction, layer, region, layer_draw, else as there.
    """
    drawn: dict[str, list[NDArray[np.float64]]] = {}
    layers = []
    for fit in fits:
        shares = ratio_weights(regions, np.where(fit["r"].isnull(), np.nan, ceiling.values))
        deviation = fit["r_deviation"].values.astype(np.float32)
        r = fit["r"].values + deviation - deviation.mean(0)  # few draws have a mean of their own
        drawn.setdefault(str(fit.attrs["instruction"]), []).append(np.nan_to_num(r) @ shares)
        layers.append(int(fit.attrs["layer"]))
    draws = np.array([*drawn.values()])
    draws = np.concatenate([draws, draws.mean(0, keepdims=True)])
    draws[..., shares.sum(0) == 0] = np.nan
    found = xr.DataArray(draws, dims=("instruction", "layer", "layer_draw", "region"))
    names = {"instruction": [*drawn, MEAN], "layer": list(dict.fromkeys(layers))}
    return label_draws(found.assign_coords(names), regions)


def _column(prediction: xr.DataArray, rule: LayerRule) -> Array:
    """Return what stands for an instruction's score, (n_images, n_voxels): see the module."""
    values = prediction.transpose("stimulus", "voxel").values.astype(np.float32)
    for here in batches(values.shape[1] if rule == "best" else 0, ComparisonOptions.voxels_at_once):
        values[:, here] = zscore(values[:, here])[0]
    return values


def _tested(x: Array, test: PermutationTest | None) -> Chance:
    untested = np.full(x.shape[1], np.nan, np.float32)
    return test.test(x) if test else Chance(untested, untested)
