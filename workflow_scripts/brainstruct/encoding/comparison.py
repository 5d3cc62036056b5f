"""Does one feature space predict better than another? Paired, by resampling images.

A comparison is between two groups of predictions: the members of a group (the
instructions of a model, say) are scored one by one and their scores averaged,
as everywhere else in the study. The test images are resampled, for both groups
alike; models are not fitted again, so the uncertainty is that of the test
images for these fitted models and these subjects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import norm

from brainstruct.brain.ceilings import can_be_divided_by
from brainstruct.encoding.columns import centre
from brainstruct.encoding.fdr import VOXELWISE_WILCOXON, benjamini_hochberg, wilcoxon_p
from brainstruct.encoding.regions import Region
from brainstruct.encoding.resampling import Array, Resampler, image_weights
from brainstruct.encoding.scores import pearson

MEASURES = ("r", "alignment")
"""Raw correlation, and correlation divided by the noise ceiling."""


@dataclass(frozen=True)
class ComparisonOptions:
    """How feature spaces are compared.

    Attributes
    ----------
    n_draws : int
        Bootstrap samples of the test images.
    seed : int
        Seed of the study; the same for all subjects, so that comparisons of
        subjects who saw the same images are paired.
    confidence : float
        Coverage of the percentile interval.
    voxels_at_once : int
        Bounds memory: draws x voxels x groups x 4 bytes.
    """

    n_draws: int = 1000
    seed: int = 0
    confidence: float = 0.95
    voxels_at_once: int = 1000


@dataclass(frozen=True)
class Difference:
    """Statistics of a difference, one per column.

    Attributes
    ----------
    difference : array of shape (n,)
        On all images.
    se : array of shape (n,)
        Standard deviation over bootstrap samples.
    ci_low, ci_high : array of shape (n,)
        Percentile interval.
    p : array of shape (n,)
        Two-sided, from difference / se and the normal distribution: a share of
        draws could not go below 1 / n_draws, too coarse for FDR over thousands
        of voxels. 1 where both are identical.
    """

    difference: NDArray[np.float64]
    se: NDArray[np.float64]
    ci_low: NDArray[np.float64]
    ci_high: NDArray[np.float64]
    p: NDArray[np.float64]


def difference_statistics(
    difference: NDArray[np.floating], draws: NDArray[np.floating], confidence: float
) -> Difference:
    """Summarise the bootstrap distribution of differences.

    Parameters
    ----------
    difference : array of shape (n,)
        Differences on all images.
    draws : array of shape (n_draws, n)
        Differences in every bootstrap sample.
    confidence : float
        Coverage of the interval.
    """
    observed = np.asarray(difference, dtype=np.float64)
    se = draws.std(0, ddof=1, dtype=np.float64)
    tail = (1 - confidence) / 2
    # Scores are finite or NaN in every draw, so a plain quantile keeps NaN as NaN.
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    z = np.divide(observed, se, out=np.zeros_like(observed), where=se > 0)
    p = 2 * norm.sf(np.abs(z))
    p[np.isnan(observed)] = np.nan
    return Difference(observed, se, low.astype(np.float64), high.astype(np.float64), p)


def cohen_q(r_a: NDArray[np.floating], r_b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Effect size of a difference of correlations: atanh(r_a) - atanh(r_b) (Cohen 1988).

    0.1 is called small, 0.3 medium, 0.5 large.
    """
    limit = 1 - 1e-7
    a, b = (np.clip(np.asarray(r, dtype=np.float64), -limit, limit) for r in (r_a, r_b))
    return np.asarray(np.arctanh(a) - np.arctanh(b))


def compare_groups(
    truth: xr.DataArray,
    groups: Mapping[str, Sequence[xr.DataArray]],
    pairs: Sequence[tuple[str, str]],
    ceiling: xr.DataArray,
    regions: Sequence[Region],
    *,
    threshold: float,
    options: ComparisonOptions,
) -> xr.Dataset:
    """Compare groups of predictions voxel by voxel and region by region.

    Parameters
    ----------
    truth : xarray.DataArray
        Responses to the test images, dims nsd_id, voxel.
    groups : mapping
        Name -> its members' predictions, each with dims nsd_id, voxel as in
        `truth`; may be lazy. Members are scored one by one, and the scores
        averaged.
    pairs : sequence of (a, b)
        Names of groups; differences are a - b.
    ceiling : xarray.DataArray
        Noise ceiling as a correlation, dim voxel; taken as known.
    regions : sequence of Region
        Regions of interest.
    threshold : float
        Voxels with a smaller ceiling are left out of regions.
    options : ComparisonOptions
        Draws, seed.

    Returns
    -------
    xarray.Dataset
        By comparison and voxel: ``r_a``, ``r_b``, ``difference``, ``se``,
        ``ci_low``, ``ci_high``, ``p``, ``q`` (FDR over the voxels of a
        comparison with a ceiling above the threshold; NaN elsewhere) and
        ``cohen_q``. By measure (`MEASURES`), comparison and region:
        ``region_a``, ``region_b``, ``region_draws`` (with dim draw; float32
        differences), and by comparison and region ``region_share_better``
        (share of voxels where a is better), ``region_share_significant`` (and
        q <= 0.05, either sign), ``region_cohen_q`` (mean over voxels) and
        ``region_wilcoxon_p`` (across voxels: anti-conservative, see
        `brainstruct.encoding.fdr`). By region:
        ``n_voxels``, ``n_excluded``. Coordinates ``a``, ``b``, ``family``,
        ``label``.

    Raises
    ------
    ValueError
        If a group is of other images or voxels than `truth`, or a pair names
        no group.
    """
    for name, group in groups.items():
        for member, dim in product(group, ("nsd_id", "voxel")):
            if not np.array_equal(member[dim].values, truth[dim].values):
                raise ValueError(f"the predictions of {name} are of another {dim} than the truth")
    unknown = {name for pair in pairs for name in pair} - set(groups)
    if unknown or not pairs:
        raise ValueError(f"comparisons name {sorted(unknown)}, which are not among {list(groups)}")

    # A response that never varies on these images has no correlation, whatever its ceiling.
    varies = centre(truth.transpose("nsd_id", "voxel").values)[1] != 0
    reliable = can_be_divided_by(ceiling, threshold).values & varies
    means = _region_means(regions, np.where(reliable, ceiling.values, np.nan))
    weights = image_weights(truth["nsd_id"].values, options.n_draws, options.seed)
    names = list(groups)
    position = {name: row for row, name in enumerate(names)}
    n_voxels = truth.sizes["voxel"]
    voxelwise = {
        name: np.full((len(pairs), n_voxels), np.nan, dtype=np.float32)
        for name in ("r_a", "r_b", "difference", "se", "ci_low", "ci_high", "cohen_q")
    }
    p = np.full((len(pairs), n_voxels), np.nan)
    region_scores = np.zeros((len(MEASURES), len(names), len(regions)))
    region_draws = np.zeros((len(MEASURES), len(names), len(regions), options.n_draws))
    for start in range(0, n_voxels, options.voxels_at_once):
        here = slice(start, start + options.voxels_at_once)
        r, draws = _group_scores(
            truth.isel(voxel=here),
            [[member.isel(voxel=here) for member in groups[name]] for name in names],
            weights,
        )
        for kind in range(len(MEASURES)):
            region_scores[kind] += np.nan_to_num(r) @ means[kind][here]
            region_draws[kind] += np.einsum(
                "gdv,vr->grd", np.nan_to_num(draws), means[kind][here], optimize=True
            )
        for row, (a, b) in enumerate(pairs):
            first, second = position[a], position[b]
            found = difference_statistics(
                r[first] - r[second], draws[first] - draws[second], options.confidence
            )
            voxelwise["r_a"][row, here], voxelwise["r_b"][row, here] = r[first], r[second]
            voxelwise["cohen_q"][row, here] = cohen_q(r[first], r[second])
            for name in ("difference", "se", "ci_low", "ci_high"):
                voxelwise[name][row, here] = getattr(found, name)
            p[row, here] = found.p

    q = benjamini_hochberg(np.where(reliable, p, np.nan), axis=-1)
    rows_a = [position[a] for a, _ in pairs]
    rows_b = [position[b] for _, b in pairs]
    empty = np.array([not (region.voxels & reliable).any() for region in regions])
    region_scores[:, :, empty] = np.nan
    region_draws[:, :, empty] = np.nan
    per_region = _region_shares(voxelwise, q, reliable, regions)
    by_voxel, by_region = ("comparison", "voxel"), ("measure", "comparison", "region")
    return xr.Dataset(
        {
            **{name: (by_voxel, values) for name, values in voxelwise.items()},
            "p": (by_voxel, p),
            "q": (by_voxel, q),
            "region_a": (by_region, region_scores[:, rows_a]),
            "region_b": (by_region, region_scores[:, rows_b]),
            "region_draws": (
                (*by_region, "draw"),
                (region_draws[:, rows_a] - region_draws[:, rows_b]).astype(np.float32),
            ),
            **{name: (by_region[1:], values) for name, values in per_region.items()},
            "n_voxels": ("region", [int(region.voxels.sum()) for region in regions]),
            "n_excluded": (
                "region",
                [int((region.voxels & ~reliable).sum()) for region in regions],
            ),
        },
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
            "n_images": truth.sizes["nsd_id"],
            "n_draws": options.n_draws,
            "confidence": options.confidence,
            "ceiling_threshold": threshold,
            "wilcoxon": VOXELWISE_WILCOXON,
        },
    )


def _group_scores(
    truth: xr.DataArray, groups: Sequence[Sequence[xr.DataArray]], weights: Array
) -> tuple[NDArray[np.float64], Array]:
    """Return r (group, voxel) and its bootstrap draws (group, draw, voxel)."""
    measured = truth.transpose("nsd_id", "voxel").values.astype(np.float32)
    resampler = Resampler(measured, weights)
    r = np.zeros((len(groups), measured.shape[1]))
    draws = np.zeros((len(groups), len(weights), measured.shape[1]), dtype=np.float32)
    for row, members in enumerate(groups):
        for member in members:
            prediction = member.transpose("nsd_id", "voxel").values.astype(np.float32)
            r[row] += pearson(measured, prediction) / len(members)
            draws[row] += resampler.correlate(prediction) / len(members)
    return r, draws


def _region_means(
    regions: Sequence[Region], ceiling: NDArray[np.floating]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return two (voxel, region) matrices that turn scores into regional means.

    One for correlations, one for alignments; voxels without a ceiling are out.
    """
    inside = np.stack([region.voxels & np.isfinite(ceiling) for region in regions], axis=1)
    mean = inside / np.maximum(inside.sum(0), 1)
    normalised = mean / np.where(np.isfinite(ceiling), ceiling, 1.0)[:, None]
    return mean.astype(np.float32), normalised.astype(np.float32)


def _region_shares(
    voxelwise: Mapping[str, NDArray[np.floating]],
    q: NDArray[np.floating],
    reliable: NDArray[np.bool_],
    regions: Sequence[Region],
) -> dict[str, NDArray[np.float64]]:
    difference, effect = voxelwise["difference"], voxelwise["cohen_q"]
    shape = (len(difference), len(regions))
    names = ("share_better", "share_significant", "cohen_q", "wilcoxon_p")
    found = {name: np.full(shape, np.nan) for name in names}
    for column, region in enumerate(regions):
        used = region.voxels & reliable
        if used.any():
            found["share_better"][:, column] = (difference[:, used] > 0).mean(1)
            found["share_significant"][:, column] = (q[:, used] <= 0.05).mean(1)
            found["cohen_q"][:, column] = effect[:, used].mean(1)
            for row in range(len(difference)):
                found["wilcoxon_p"][row, column] = wilcoxon_p(difference[row, used])
    return {f"region_{name}": values for name, values in found.items()}
