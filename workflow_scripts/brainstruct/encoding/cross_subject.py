"""Noise ceiling from other brains: how well subjects predict a subject.

After Schrimpf et al. (2021, PNAS 118 e2105646118): a voxel is predicted from
the voxels of every subset of the other subjects, and the scores, as a function
of the subset's size, are extrapolated to infinitely many subjects. The shared
images serve for fitting and for scoring, by cross-validation inside them.

A few hundred images teach a mapping between noisy brains badly, and what is lost would be taken for
noise: the error of a least-squares fit falls as 1 / n, so scores are also extrapolated from all
training images and halves of them to infinitely many, r = 2 r(n) - r(n / 2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from brainstruct.encoding.columns import Array
from brainstruct.encoding.dual import Rows, linear_kernel, out_of_fold_predictions
from brainstruct.encoding.resampling import Resampler
from brainstruct.encoding.saturation import Curve, pooled_tau, shape_of
from brainstruct.encoding.scores import pearson

Splits = list[tuple[Rows, Rows]]
"""Training and held-out images of every fold."""


@dataclass(frozen=True)
class CrossSubjectOptions:
    """How a cross-subject ceiling is estimated; config/README.md has the other settings.

    Penalties are relative to the mean eigenvalue; the seed is that of folds, subsets and
    bootstraps.
    """

    log10_alphas: Sequence[float] = tuple(np.linspace(-2, 4, 13))
    folds: int = 5
    inner_folds: int = 4
    curve: Curve = "spearman_brown"
    extrapolate_images: bool = True
    n_bootstraps: int = 100
    subsets_per_size: int = 10
    seed: int = 0


def cross_subject_ceiling(
    target: Array,
    sources: Mapping[str, Array],
    options: CrossSubjectOptions,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Estimate a subject's noise ceiling from other subjects.

    Parameters
    ----------
    target : array of shape (n_images, n_voxels)
        Responses of the subject to the shared images.
    sources : mapping
        Other subject -> its responses to the same images, (n_images, its voxels).
    progress : callable, optional
        Called with (subsets done, subsets in all).

    Returns
    -------
    xarray.Dataset
        By voxel: ``ceiling_cross_subject``, the asymptote v0, as it comes out: it may be negative
        or above 1; and its ``standard_error`` over bootstraps, with tau as it is. v0 is the least
        squares fit of a curve whose tau is one for all voxels, that of the mean over the better
        half of them. By n_sources and voxel: ``r_by_size``, the mean cross-validated correlation,
        extrapolated over images if that is asked for, and ``r_reached``, as it is measured.
        Attributes: ``extrapolated`` is 0 with one other subject, or where r does not saturate,
        and ceilings then NaN; ``note`` says why; ``tau``.

    Raises
    ------
    ValueError
        If there are no sources, or their images differ in number.
    """
    if not sources:
        raise ValueError("a cross-subject ceiling needs at least one other subject")
    for name, responses in sources.items():
        if len(responses) != len(target):
            raise ValueError(f"{name} has {len(responses)} images, the target {len(target)}")
    generator = np.random.default_rng(options.seed)
    kernels = {name: linear_kernel(responses) for name, responses in sources.items()}
    subsets = subject_subsets(list(sources), options.subsets_per_size, generator)
    n_images, n_voxels = target.shape
    uniform = np.full(n_images, 1 / n_images)
    weights = generator.multinomial(n_images, uniform, options.n_bootstraps).astype(np.float32)
    subset_scores = _SubsetScores(target, weights, options)
    measured = np.zeros((2, len(subsets), n_voxels), dtype=np.float32)
    drawn = np.zeros((len(subsets), options.n_bootstraps, n_voxels), dtype=np.float32)
    total, done = sum(map(len, subsets.values())), 0
    for row, members in enumerate(subsets.values()):
        # Which of the subsets of this size enter each bootstrap, and how often.
        count = len(members)
        times = generator.multinomial(count, np.full(count, 1 / count), options.n_bootstraps)
        for column, subset in enumerate(members):
            r, reached, draws = subset_scores.of([kernels[name] for name in subset])
            measured[:, row] += np.stack([r, reached]) / count
            drawn[row] += (times[:, column] / count).astype(np.float32)[:, None] * draws
            done += 1
            if progress is not None:
                progress(done, total)
    return _summarise(list(subsets), measured, drawn, n_images, options)


def without_ceiling(n_voxels: int, n_images: int, note: str) -> xr.Dataset:
    """Return the result of a subject that shares too few images; `note` says why."""
    nothing = np.full(n_voxels, np.nan, dtype=np.float32)
    return xr.Dataset(
        dict.fromkeys(("ceiling_cross_subject", "standard_error"), ("voxel", nothing)),
        coords={"voxel": np.arange(n_voxels)},
        attrs={"extrapolated": 0, "tau": np.nan, "note": note, "n_images": n_images},
    )


def subject_subsets(
    names: Sequence[str], at_most: int, generator: np.random.Generator
) -> dict[int, list[tuple[str, ...]]]:
    """Return size -> subsets of that size, all of them or a random `at_most`."""
    found = {}
    for size in range(1, len(names) + 1):
        subsets = list(combinations(names, size))
        if len(subsets) > at_most:
            kept = sorted(generator.choice(len(subsets), at_most, replace=False))
            subsets = [subsets[index] for index in kept]
        found[size] = subsets
    return found


class _SubsetScores:
    """How well subsets of the other subjects predict the target, and bootstrap draws of it.

    Scores are means over folds of the correlation within a fold. Pooled over folds,
    the predictions of a model without skill correlate *negatively* with the truth:
    what one fold happens to hold, the others lack. Within a fold, predictions and
    responses are independent under the null, so the mean over folds is unbiased.
    """

    def __init__(self, target: Array, weights: Array, options: CrossSubjectOptions) -> None:
        folds = KFold(options.folds, shuffle=True, random_state=options.seed)
        self._inner = KFold(options.inner_folds, shuffle=True, random_state=options.seed)
        self._alphas = [10.0**exponent for exponent in options.log10_alphas]
        self._target = target
        self._splits = list(folds.split(target))
        self._halves = _halves(self._splits, options.seed) if options.extrapolate_images else []
        truth = target.astype(np.float32)
        self._folds = [
            (held, truth[held], Resampler(truth[held], weights[:, held]))
            for _, held in self._splits
        ]

    def of(self, kernels: Sequence[NDArray[np.float64]]) -> tuple[Array, Array, Array]:
        """Return r (n_voxels,), extrapolated if so asked, r as reached, and draws of r."""
        reached, draws = self._score(kernels, self._splits)
        if not self._halves:
            return reached, reached, draws
        halves = [self._score(kernels, splits) for splits in self._halves]
        r = 2 * reached - sum(r_half for r_half, _ in halves) / 2
        return r, reached, 2 * draws - sum(draws_half for _, draws_half in halves) / 2

    def _score(self, kernels: Sequence[NDArray[np.float64]], splits: Splits) -> tuple[Array, Array]:
        predicted = out_of_fold_predictions(
            kernels, self._target, self._alphas, splits, self._inner
        )
        scores = [
            (pearson(truth, predicted[held]), resampler.correlate(predicted[held]))
            for held, truth, resampler in self._folds
        ]
        count = np.float32(len(scores))
        r, draws = (sum(part, start=np.zeros_like(part[0])) for part in zip(*scores, strict=True))
        return r / count, draws / count


def _halves(splits: Splits, seed: int) -> tuple[Splits, Splits]:
    """Divide the training images of every split into two random halves."""
    n_images = sum(len(held) for _, held in splits)
    generator = np.random.default_rng([seed, n_images])
    halves: tuple[Splits, Splits] = ([], [])
    for train, held in splits:
        mixed = generator.permutation(train)
        for half, rows in zip(halves, np.array_split(mixed, 2), strict=True):
            half.append((np.sort(rows), held))
    return halves


def _summarise(
    sizes: Sequence[int],
    measured: Array,
    drawn: Array,
    n_images: int,
    options: CrossSubjectOptions,
) -> xr.Dataset:
    observed, reached = measured
    mean = observed.mean(0)
    # What a subject more adds is told by voxels that others predict; a curve per voxel would take
    # its noise for a shape, and leave out the voxels in which that goes wrong.
    better = observed[:, mean >= np.median(mean)].mean(1)
    tau = pooled_tau(sizes, better, options.curve) if len(sizes) > 1 else None
    if tau is None:
        ceiling = error = np.full(observed.shape[1], np.nan)
        note = (
            "prediction does not saturate with the number of subjects: no asymptote is known"
            if len(sizes) > 1
            else "one other subject: nothing tells what it lacks of the ceiling"
        )
    else:
        weights = shape_of(sizes, tau, options.curve)
        weights /= (weights**2).sum()
        ceiling = weights @ observed
        error = np.einsum("s,sdv->dv", weights, drawn).std(0, ddof=1)
        note = (
            "asymptote of r against the number of subjects; one tau, of the better half of voxels"
        )
        if len(sizes) == 2:
            note += "; two sizes only: the curve passes through both, nothing tests its shape"
    units = {"units": "correlation"}
    return xr.Dataset(
        {
            "ceiling_cross_subject": ("voxel", ceiling.astype(np.float32), units),
            "standard_error": ("voxel", error.astype(np.float32), units),
            "r_by_size": (("n_sources", "voxel"), observed),
            "r_reached": (("n_sources", "voxel"), reached),
        },
        coords={"voxel": np.arange(observed.shape[1]), "n_sources": list(sizes)},
        attrs={
            "extrapolated": int(tau is not None),
            "extrapolated_images": int(options.extrapolate_images),
            "curve": options.curve,
            "tau": np.nan if tau is None else tau,
            "note": note,
            "n_images": n_images,
            "n_bootstraps": options.n_bootstraps,
        },
    )


def shared_images(stimuli: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the images that all of several lists hold, sorted."""
    return np.unique(reduce(np.intersect1d, stimuli))
