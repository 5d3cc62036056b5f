"""Does one feature space predict better than another? Paired, by resampling images.

A comparison is between two groups of predictions: the members of a group (the instructions of a
model, say) are scored one by one and their scores averaged, as everywhere else in the study. The
test images are resampled, for both groups alike; models are not fitted again, so the uncertainty is
that of the test images for these fitted models and these subjects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.encoding.columns import Array, batches, centre
from brainstruct.encoding.fdr import (
    LEVEL,
    VOXELWISE_WILCOXON,
    benjamini_hochberg,
    wilcoxon_p,
)
from brainstruct.encoding.regions import Region, ratio_weights
from brainstruct.encoding.resampling import Resampler, difference_statistics, image_weights
from brainstruct.encoding.scores import pearson

MEASURES = ("r", "alignment")
"""Mean correlation, and the sum of correlations divided by that of noise ceilings."""


@dataclass(frozen=True)
class ComparisonOptions:
    """How feature spaces are compared.

    Attributes
    ----------
    seed : int
        The same for all subjects, so that comparisons of subjects who saw the same images are
        paired.
    confidence : float
        Coverage of the percentile interval.
    voxels_at_once : int
        Bounds memory: draws x voxels x groups x 4 bytes.
    """

    n_draws: int = 1000
    seed: int = 0
    confidence: float = 0.95
    voxels_at_once: int = 1000


def cohen_q(r_a: NDArray[np.floating], r_b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Effect size of a difference of correlations: atanh(r_a) - atanh(r_b) (Cohen 1988).

    0.1 is called small, 0.3 medium, 0.5 large.
    """
    limit = 1 - 1e-7
    a, b = (np.clip(np.asarray(r, dtype=np.float64), -limit, limit) for r in (r_a, r_b))
    return np.asarray(np.arctanh(a) - np.arctanh(b))


# Long: it says all that a comparison's file holds.
def compare_groups(
    truth: xr.DataArray,
    groups: Mapping[str, Sequence[xr.DataArray]],
    pairs: Sequence[tuple[str, str]],
    ceiling: xr.DataArray,
    regions: Sequence[Region],
    *,
    options: ComparisonOptions,
) -> xr.Dataset:
    """Compare groups of predictions voxel by voxel and region by region.

    `truth` are the responses to the test images, dims stimulus, voxel; `groups` name their members'
    predictions, of its images and voxels, which may be lazy: members are scored one by one, and the
    scores averaged. Pairs are names of two groups, a and b; differences are a - b. The ceiling is a
    correlation, dim voxel, taken as known, see `brainstruct.brain.ceilings.usable_ceiling`; voxels
    without one are left out of regions.

    Returns, by comparison and voxel: ``r_a``, ``r_b``, ``difference``, ``se``, ``ci_low``,
    ``ci_high``, ``cohen_q``, ``p`` and ``q`` (FDR over the voxels of a comparison with a ceiling;
    NaN elsewhere). By region: see `_by_region`. Coordinates ``a``, ``b``, ``family``, ``label``.

    A `ValueError` if a group is of other images or voxels than `truth`, or a pair names no group.
    """
    _require_alike(truth, groups, pairs)
    # A response that never varies on these images has no correlation, whatever its ceiling.
    varies = centre(truth.transpose("stimulus", "voxel").values)[1] != 0
    reliable = ceiling.notnull().values & varies
    means = (
        ratio_weights(regions, reliable.astype(np.float32)),
        ratio_weights(regions, np.where(reliable, ceiling.values, np.nan)),
    )
    by_voxel, scores, draws = _resample(truth, groups, pairs, means, options)
    by_voxel["q"] = benjamini_hochberg(np.where(reliable, by_voxel["p"], np.nan), axis=-1)
    return xr.Dataset(
        {name: (("comparison", "voxel"), values) for name, values in by_voxel.items()}
        | _by_region(scores, draws, by_voxel, reliable, regions),
        coords={
            "comparison": [f"{a} - {b}" for a, b in pairs],
            "a": ("comparison", [a for a, _ in pairs]),
            "b": ("comparison", [b for _, b in pairs]),
            "voxel": truth["voxel"].values,
            "measure": list(MEASURES),
            "region": np.arange(len(regions)),
            "family": ("region", [region.family for region in regions]),
            "label": ("region", [region.label for region in regions]),
            "draw": np.arange(options.n_draws),
        },
        attrs={
            "n_images": truth.sizes["stimulus"],
            "n_draws": options.n_draws,
            "confidence": options.confidence,
            "ceiling_threshold": ceiling.attrs["threshold"],
            "wilcoxon": VOXELWISE_WILCOXON,
        },
    )


def _require_alike(
    truth: xr.DataArray,
    groups: Mapping[str, Sequence[xr.DataArray]],
    pairs: Sequence[tuple[str, str]],
) -> None:
    """Check that predictions are of the truth's images and voxels, and pairs of known groups."""
    for name, group in groups.items():
        for member, dim in product(group, ("stimulus", "voxel")):
            if not np.array_equal(member[dim].values, truth[dim].values):
                raise ValueError(f"the predictions of {name} are of another {dim} than the truth")
    unknown = {name for pair in pairs for name in pair} - set(groups)
    if unknown or not pairs:
        raise ValueError(f"comparisons name {sorted(unknown)}, which are not among {list(groups)}")


def _resample(
    truth: xr.DataArray,
    groups: Mapping[str, Sequence[xr.DataArray]],
    pairs: Sequence[tuple[str, str]],
    means: Sequence[Array],
    options: ComparisonOptions,
) -> tuple[dict[str, NDArray[np.floating]], NDArray[np.float64], NDArray[np.float64]]:
    """Return statistics (pair, voxel), and regional scores of either side and their draws.

    The latter are of shape (2, measure, pair, region), with the draws last.
    """
    weights = image_weights(truth["stimulus"].values, options.n_draws, options.seed)
    sides = np.transpose([[list(groups).index(name) for name in pair] for pair in pairs])
    scores = np.zeros((len(MEASURES), len(groups), means[0].shape[1]))
    draws = np.zeros((*scores.shape, options.n_draws))
    blocks = []
    for here in batches(truth.sizes["voxel"], options.voxels_at_once):
        r, drawn = _group_scores(
            truth.isel(voxel=here),
            [[member.isel(voxel=here) for member in group] for group in groups.values()],
            weights,
        )
        for kind, mean in enumerate(means):
            scores[kind] += np.nan_to_num(r) @ mean[here]
            draws[kind] += np.einsum("gdv,vr->grd", np.nan_to_num(drawn), mean[here], optimize=True)
        blocks.append([_pair_statistics(r, drawn, a, b, options.confidence) for a, b in sides.T])
    by_voxel = {
        name: np.stack(
            [np.concatenate([block[row][name] for block in blocks]) for row in range(len(pairs))]
        )
        for name in blocks[0][0]
    }
    first, second = sides
    return (
        by_voxel,
        np.stack([scores[:, first], scores[:, second]]),
        np.stack([draws[:, first], draws[:, second]]),
    )


def _pair_statistics(
    r: NDArray[np.float64], draws: Array, a: int, b: int, confidence: float
) -> dict[str, NDArray[np.floating]]:
    """Compare two rows of what `_group_scores` returns; p in float64, all else in float32."""
    found = difference_statistics(r[a] - r[b], draws[a] - draws[b], confidence)
    values = {"r_a": r[a], "r_b": r[b], **vars(found), "cohen_q": cohen_q(r[a], r[b])}
    del values["p"]
    return {name: array.astype(np.float32) for name, array in values.items()} | {"p": found.p}


def _group_scores(
    truth: xr.DataArray, groups: Sequence[Sequence[xr.DataArray]], weights: Array
) -> tuple[NDArray[np.float64], Array]:
    """Return r (group, voxel) and its bootstrap draws (group, draw, voxel)."""
    measured = truth.transpose("stimulus", "voxel").values.astype(np.float32)
    resampler = Resampler(measured, weights)
    r = np.zeros((len(groups), measured.shape[1]))
    draws = np.zeros((len(groups), len(weights), measured.shape[1]), dtype=np.float32)
    for row, members in enumerate(groups):
        for member in members:
            prediction = member.transpose("stimulus", "voxel").values.astype(np.float32)
            r[row] += pearson(measured, prediction) / len(members)
            draws[row] += resampler.correlate(prediction) / len(members)
    return r, draws


def _by_region(
    scores: NDArray[np.float64],
    draws: NDArray[np.float64],
    by_voxel: Mapping[str, NDArray[np.floating]],
    reliable: NDArray[np.bool_],
    regions: Sequence[Region],
) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
    """Label what is known of regions, (measure, comparison, region, draw) or less; NaN if empty.

    ``region_a`` and ``region_b``: scores. ``region_draws``: float32 differences. Over
    voxels: ``region_share_better`` (share where a is better), ``region_share_significant``
    (and q <= 0.05, either sign), ``region_cohen_q`` (mean) and ``region_wilcoxon_p``
    (anti-conservative, see `brainstruct.encoding.fdr`). ``n_voxels``, ``n_excluded``.
    """
    dims = ("measure", "comparison", "region", "draw")
    empty = np.array([not (region.voxels & reliable).any() for region in regions])
    scores[..., empty] = np.nan
    draws[..., empty, :] = np.nan
    difference, effect, q = (by_voxel[name] for name in ("difference", "cohen_q", "q"))
    names = ("share_better", "share_significant", "cohen_q", "wilcoxon_p")
    over_voxels = np.full((len(names), len(difference), len(regions)), np.nan)
    for column in np.flatnonzero(~empty).tolist():
        used = regions[column].voxels & reliable
        over_voxels[:, :, column] = (
            (difference[:, used] > 0).mean(1),
            (q[:, used] <= LEVEL).mean(1),
            effect[:, used].mean(1),
            [wilcoxon_p(row[used]) for row in difference],
        )
    n_voxels = np.array([region.voxels.sum() for region in regions])
    n_excluded = np.array([(region.voxels & ~reliable).sum() for region in regions])
    return {
        "region_a": (dims[:3], scores[0]),
        "region_b": (dims[:3], scores[1]),
        "region_draws": (dims, (draws[0] - draws[1]).astype(np.float32)),
        **{
            f"region_{name}": (dims[1:3], values)
            for name, values in zip(names, over_voxels, strict=True)
        },
        "n_voxels": (dims[2:3], n_voxels),
        "n_excluded": (dims[2:3], n_excluded),
    }
