"""Variance partitioning: what two instructions explain together and apart.

shared = R2_a + R2_b - R2_joint, unique_a = R2_joint - R2_b, and unique_b
likewise: they add up to R2_joint. All are differences of noisy scores on test
images, so each can be negative; negative values are kept and counted.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.encoding.banded import BandedOptions, fit_pair
from brainstruct.encoding.columns import Array, batches, centre
from brainstruct.encoding.comparison import ComparisonOptions
from brainstruct.encoding.components import Components
from brainstruct.encoding.regions import Region, label_draws, ratio_weights
from brainstruct.encoding.resampling import image_weights
from brainstruct.encoding.shares import SHARES

LayerChoice = int | Literal["best", "region", "voxel"]

PLANTED = (0.0, 1 / 3, 2 / 3, 1.0)
"""Parts of a joint R2 that are shared, in made-up responses whose partition is known."""

MADE_UP = 100
"""Responses for each of them."""


def partition_layers(
    scores: xr.Dataset, space: xr.Dataset, reliable: xr.DataArray, layer: LayerChoice
) -> xr.DataArray:
    """Choose the layer that stands for each instruction in each voxel.

    A partition needs a joint model for every two layers that some voxel combines, so voxels are not
    free to choose a layer for each instruction. All choices are made by the CV score on the
    training images.

    `scores` has ``cv_score`` with dims instruction, layer, voxel, and `space` ``roi_label`` with
    dims roi, voxel, positive in a region; only reliable voxels (voxel), whose scores can be divided
    by the ceiling, have a say in means. `layer` is a fitted one; ``best``: each instruction's layer
    with the best mean over voxels; ``region``: the same within each family of regions (a voxel of
    several counts for the first, voxels of none are a family too); ``voxel``: each voxel's layer
    with the best mean over instructions, the same for all instructions.

    Returns int16, dims instruction, voxel. A `ValueError` if the layer was not fitted, or no voxel
    is reliable.
    """
    cv = scores["cv_score"].transpose("instruction", "layer", "voxel").values
    fitted = scores["layer"].values
    shape = (cv.shape[0], cv.shape[2])
    if isinstance(layer, int):
        if layer not in fitted:
            raise ValueError(f"layer {layer} is not among {fitted.tolist()}")
        chosen = np.full(shape, layer)
    elif layer == "voxel":
        chosen = np.broadcast_to(fitted[cv.mean(0).argmax(0)], shape)
    else:
        counted = reliable.values
        if not counted.any():
            raise ValueError("no voxel has a noise ceiling above the threshold")
        chosen = np.repeat(_best_layers(cv[..., counted], fitted)[:, None], shape[1], axis=1)
        for members in _families(space) if layer == "region" else ():
            if (members & counted).any():
                chosen[:, members] = _best_layers(cv[..., members & counted], fitted)[:, None]
    return xr.DataArray(
        chosen.astype(np.int16),
        dims=("instruction", "voxel"),
        coords={"instruction": [str(name) for name in scores["instruction"].values]},
    )


def _best_layers(cv: NDArray[np.floating], fitted: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return each instruction's layer with the best mean of (instruction, layer, voxel)."""
    return np.asarray(fitted[cv.mean(2).argmax(1)])


def _families(space: xr.Dataset) -> list[NDArray[np.bool_]]:
    """Divide voxels by the first family that has them; the last part has none."""
    inside = space["roi_label"].transpose("roi", "voxel").values > 0
    first = np.where(inside.any(0), inside.argmax(0), len(inside))
    return [first == number for number in range(len(inside) + 1)]


def partition_pair(
    layers: tuple[NDArray[np.integer], NDArray[np.integer]],
    components: tuple[Callable[[int], Components], Callable[[int], Components]],
    Y_train: Array,
    Y_test: Array,
    options: BandedOptions,
) -> xr.Dataset:
    """Partition every voxel's variance between two instructions at its layers.

    `layers` are arrays of shape (n_voxels,), see `partition_layers`; `components` give an
    instruction's features at a layer. Returns what `fit_pair` does, and by voxel ``layer_a``,
    ``layer_b``, ``variance_kept_a`` and ``variance_kept_b`` (by the components).
    """
    parts = []
    combined = np.stack(layers, axis=1)
    for pair in np.unique(combined, axis=0).tolist():
        voxels = np.flatnonzero((combined == pair).all(1))
        a, b = (components[side](layer) for side, layer in enumerate(pair))
        part = fit_pair(a, b, Y_train[:, voxels], Y_test[:, voxels], options)
        for side, layer, band in zip("ab", pair, (a, b), strict=True):
            part[f"layer_{side}"] = ("voxel", np.full(voxels.size, layer, np.int16))
            kept = np.full(voxels.size, band.variance_kept, np.float32)
            part[f"variance_kept_{side}"] = ("voxel", kept)
        parts.append(part.assign_coords(voxel=voxels))
    return xr.concat(parts, "voxel").sortby("voxel")


def full_r2(scores: xr.Dataset, name: str, layers: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return R2 of an instruction's encoding models on all features, at each voxel's layer.

    `scores` has ``r2`` with dims instruction, layer, voxel; `layers` are of shape (n_voxels,).
    """
    at = xr.DataArray(layers, dims="voxel")
    every = scores["r2"].sel(instruction=name).drop_vars("voxel", errors="ignore")
    return np.asarray(every.sel(layer=at).values)


def calibrate(a: Components, b: Components, r2: float, options: BandedOptions) -> xr.DataArray:
    """Partition responses whose shared part is known, in features like those of a study.

    Made-up features of either space are Gaussian, as many, with the variances of its components,
    for as many images; every second component is the same in both. Responses follow all
    components by their variances, and have the joint `r2`, of which `PLANTED` is shared and the
    rest unique to either in halves. Returns, by planted part, mean ``shared`` over mean
    ``r2_joint``, as `fit_pair` has them.
    """
    random = np.random.default_rng(options.seed)
    n_train, n_images = len(a.train), len(a.train) + len(a.test)
    narrow = min(a.train.shape[1], b.train.shape[1])
    common = random.standard_normal((n_images, narrow))

    def like(one: Components) -> Array:
        latent = random.standard_normal((n_images, one.train.shape[1]))
        latent[:, :narrow:2] = common[:, ::2]
        return np.asarray(latent * one.train.std(0, dtype=np.float64), np.float32)

    features = like(a), like(b)
    first, second = (
        Components(made[:n_train], made[n_train:], one.n_features, one.variance_kept)
        for one, made in zip((a, b), features, strict=True)
    )
    parts = (features[0][:, :narrow:2], features[0][:, 1::2], features[1][:, 1::2])
    shares = np.repeat([[f, (1 - f) / 2, (1 - f) / 2] for f in PLANTED], MADE_UP, axis=0).T * r2
    Y = np.sqrt(1 - r2) * random.standard_normal((n_images, shares.shape[1]))
    for part, explained in zip(parts, shares, strict=True):
        drive = part @ random.standard_normal((part.shape[1], shares.shape[1]))
        Y += np.sqrt(explained) * drive / drive.std(0)
    Y = Y.astype(np.float32)
    found = fit_pair(first, second, Y[:n_train], Y[n_train:], options)
    shared, joint = (
        found[name].values.reshape(len(PLANTED), MADE_UP).mean(1) for name in ("shared", "r2_joint")
    )
    return xr.DataArray(shared / joint, dims="planted", coords={"planted": list(PLANTED)})


def share_draws(
    truth: xr.DataArray,
    prediction: xr.DataArray,
    ceiling: xr.DataArray,
    regions: Sequence[Region],
    options: ComparisonOptions,
) -> xr.DataArray:
    """Bootstrap regional shares of the explainable variance over test images.

    Images weigh the same as in `brainstruct.encoding.comparison.compare_groups`. Variance is about
    the mean of all of them: about a draw's own, each R2 would lose 1 / n more. Responses have the
    dims stimulus, voxel; predictions are those of `fit_pair`; ceilings are correlations, NaN in
    voxels that are left out. Returns dims part (`SHARES`), region, draw; coordinates ``family`` and
    ``label`` on region. NaN where no voxel of the region has a ceiling.
    """
    y, total = centre(truth.values)
    weights = image_weights(truth["stimulus"].values, options.n_draws, options.seed)
    weights /= weights.sum(1, keepdims=True)
    shares = ratio_weights(regions, np.where(total > 0, ceiling.values, np.nan) ** 2)
    r2 = np.zeros((3, options.n_draws, len(regions)))
    for here in batches(truth.sizes["voxel"], options.voxels_at_once):
        variance = weights @ y[:, here] ** 2
        for row, guess in enumerate(prediction.values[..., here]):
            lost = weights @ (truth.values[:, here] - guess) ** 2
            r2[row] += np.nan_to_num(1 - lost / np.where(variance > 0, variance, 1)) @ shares[here]
    r2[:, :, shares.sum(0) == 0] = np.nan
    drawn = np.tensordot([[1, 1, -1], [0, -1, 1], [-1, 0, 1]], r2, 1)
    found = xr.DataArray(drawn, dims=("part", "draw", "region"), coords={"part": list(SHARES)})
    return label_draws(found, regions)
