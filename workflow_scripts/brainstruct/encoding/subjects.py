"""From subjects to the group: points, means, standard errors, and honest tests."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import stdtrit

from brainstruct.encoding.fdr import (
    LEVEL,
    benjamini_hochberg,
    subjects_note,
    wilcoxon_floor,
    wilcoxon_p,
)
from brainstruct.encoding.prevalence import prevalence, without_one
from brainstruct.encoding.regions import WHOLE
from brainstruct.encoding.resampling import difference_statistics

INTERVAL = ("alignment_se", "alignment_ci_low", "alignment_ci_high")
"""Columns that say how sure a regional alignment is."""

FEW = 500
"""Draws from which on their outermost ones are trusted as ends of an interval."""

GROUP = "group"
"""Stands for all subjects together in the column ``subject``."""

BY_ROW = ("measure", "comparison", "region")
"""What rows of a table of comparisons tell apart."""

FURTHER = {
    "cohen_q": "region_cohen_q",
    "share_better": "region_share_better",
    "share_significant": "region_share_significant",
    "wilcoxon_voxels_p": "region_wilcoxon_p",
    "n_voxels": "n_voxels",
    "n_excluded": "n_excluded",
}
"""Column -> variable; means over subjects have the first two only."""


def subject_means(table: pd.DataFrame, values: Sequence[str]) -> pd.DataFrame:
    """Mean and standard error over subjects of a table with a row per subject.

    Every column that is neither ``subject``, nor in `values`, nor named ``n_...``, tells groups
    apart. Returns these, then ``{value}_mean``, ``{value}_sem`` (sample standard deviation /
    sqrt(n); NaN with one subject), ``{value}_without_one_low`` and ``..._high`` (see `without_one`)
    and ``{value}_n_subjects`` (subjects in whom it is not NaN).
    """
    others = {"subject", *values}
    keys = [name for name in table if name not in others and not name.startswith("n_")]
    grouped = table.groupby(keys, sort=False, dropna=False)[list(values)]
    low, high = without_one(grouped)
    parts = {"mean": grouped.mean(), "sem": grouped.sem(), "n_subjects": grouped.count()}
    parts |= {"without_one_low": low, "without_one_high": high}
    result = pd.DataFrame(
        {f"{value}_{part}": parts[part][value] for value in values for part in parts}
    )
    return result.reset_index()


def interval_table(draws: Mapping[str, xr.DataArray], confidence: float) -> pd.DataFrame:
    """Tabulate how sure regional scores are: of one subject, or of the mean over several.

    `draws` are, by subject, of dims region, draw and others, see
    `brainstruct.encoding.uncertainty.over_images`. The mean of several is bootstrapped as in
    `comparison_table`. Returns family, label, the other dims and `INTERVAL`: standard error and
    percentile interval; of few draws that of Student's t about their mean.
    """
    stacked = _stack({subject: one.to_dataset(name="draws") for subject, one in draws.items()})
    mean = stacked["draws"].mean("subject", skipna=True).transpose("draw", ...)
    drawn = mean.values.reshape(len(mean), -1)
    found = difference_statistics(np.zeros(drawn.shape[1]), drawn, confidence)
    low, high = found.ci_low, found.ci_high
    if len(drawn) < FEW:
        half = stdtrit(len(drawn) - 1, (1 + confidence) / 2) * found.se
        low, high = drawn.mean(0) - half, drawn.mean(0) + half
    rows = mean[0].drop_vars("draw", errors="ignore").to_dataframe("").reset_index()
    values = dict(zip(INTERVAL, (found.se, low, high), strict=True))
    return rows.drop(columns=["region", ""]).assign(**values)


def model_intervals(
    subject_models: Sequence[tuple[str, str]], draws: Sequence[xr.DataArray], confidence: float
) -> pd.DataFrame:
    """Return `interval_table` of the mean over subjects, and model, of every model."""
    models: dict[str, dict[str, xr.DataArray]] = {}
    for (subject, model), one in zip(subject_models, draws, strict=True):
        models.setdefault(model, {})[subject] = one
    parts = [interval_table(one, confidence).assign(model=name) for name, one in models.items()]
    return pd.concat(parts, ignore_index=True)


def comparison_table(comparisons: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Tabulate regional comparisons of all subjects, and of the group.

    The group's difference is the mean over subjects. Its bootstrap averages the subjects' draws: an
    image has the same weight in every subject's draw, so that images are resampled once for all of
    them. Subjects may lack regions; comparisons (of `compare_groups`) must be the same. One row per
    measure, comparison, region and subject (or `GROUP`). q: FDR over the comparisons and the
    regions of one kind, of one subject and measure. cohen_q and share_better: over voxels, and of
    the group the mean over subjects. ``dictionary/columns.toml`` describes all columns.
    """
    subjects = pd.concat(
        [_rows(dataset, subject) for subject, dataset in comparisons.items()], ignore_index=True
    )
    group = _group_rows(comparisons)
    group["n_significant"] = _count(subjects[subjects["q"] <= LEVEL], group)
    found = _count(subjects[subjects["p"] <= LEVEL], group)
    shares = [
        prevalence(k, n, level=LEVEL) for k, n in zip(found, group["n_subjects"], strict=True)
    ]
    group[["prevalence", "prevalence_low", "prevalence_high"]] = np.array(shares)
    return pd.concat([subjects, group], ignore_index=True)


def comparison_notes(n_subjects: int, n_images: Collection[int], n_draws: int) -> str:
    """Say beside a table what its tests can and cannot show.

    `n_images` are the test images of every comparison in the table, `n_draws` bootstrap samples.
    """
    fewest, most = min(n_images), max(n_images)
    images = str(most) if fewest == most else f"{fewest} to {most}"
    return "\n".join(
        (
            f"p: two-sided, difference divided by its standard error over {n_draws} bootstrap "
            f"samples of the {images} test images, models not refitted.",
            "q: Benjamini-Hochberg over the comparisons, and over the mask, the families of "
            "regions or their labels, each for itself, of one subject and measure.",
            "cohen_q: effect size, mean over voxels of atanh(r_a) - atanh(r_b): 0.1 small, "
            "0.3 medium, 0.5 large.",
            "n_better: subjects in whom a is better. n_significant: subjects who show the "
            "group's sign by themselves, q <= 0.05.",
            "prevalence: share of people in whom a study like this one would show the group's sign "
            "(p <= 0.05 in a subject's own images; Ince et al. 2021), the most probable value and "
            "the 95 % interval of highest density. The group's difference is a mean over these "
            "subjects: without_one_low and without_one_high are the smallest and the largest mean "
            "that leaves one of them out.",
            "The confidence interval is the percentile interval of the same samples.",
            subjects_note(n_subjects),
            "wilcoxon_voxels_p treats voxels as independent. They are not, so it is "
            "anti-conservative: it is given for comparison with earlier work only.",
            "",
        )
    )


def _rows(dataset: xr.Dataset, subject: str) -> pd.DataFrame:
    """Tabulate one subject's comparisons, or the means over subjects."""

    def values(name: str) -> np.ndarray:
        whole = dataset[name].broadcast_like(dataset["region_a"])
        return np.asarray(whole.transpose(*BY_ROW).values).ravel()

    a, b = values("region_a"), values("region_b")
    draws = dataset["region_draws"].transpose("draw", *BY_ROW).values
    confidence = float(dataset.attrs["confidence"])
    found = difference_statistics(a - b, draws.reshape(len(draws), -1), confidence)
    p = found.p.reshape(*(dataset.sizes[dim] for dim in BY_ROW))
    return pd.DataFrame(
        {
            "subject": subject,
            "test_set": dataset.attrs["test_set"],
            **{name: values(name) for name in ("measure", "family", "label", "a", "b")},
            "score_a": a,
            "score_b": b,
            **vars(found),
            "q": _q_values(p, dataset["label"].values).ravel(),
            **{column: values(name) for column, name in FURTHER.items() if name in dataset},
        }
    )


def _q_values(p: NDArray[np.float64], labels: NDArray[np.str_]) -> NDArray[np.float64]:
    """Control the false discovery rate, (measure, comparison, region), by measure.

    The mask, the families and their labels lie within each other: tests of one would vouch for
    those of another, so each of the three is a family of tests by itself.
    """
    kind = np.where(labels == WHOLE, 1, 2)
    kind[0] = 0  # the mask, see `brainstruct.encoding.regions.regions`
    q = np.empty_like(p)
    for one in np.unique(kind):
        part = p[..., kind == one]
        flat = benjamini_hochberg(part.reshape(len(p), -1), axis=-1)
        q[..., kind == one] = flat.reshape(part.shape)
    return q


def _group_rows(comparisons: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Tabulate means over subjects, and tests across them."""
    keep = ["region_a", "region_b", "region_draws", "region_cohen_q", "region_share_better"]
    stacked = _stack({subject: dataset[keep] for subject, dataset in comparisons.items()})
    mean = stacked.mean("subject", skipna=True)
    table = _rows(mean.assign_attrs(next(iter(comparisons.values())).attrs), GROUP)
    difference = (stacked["region_a"] - stacked["region_b"]).transpose("subject", *BY_ROW)
    points = difference.values.reshape(len(comparisons), -1)
    present = np.isfinite(points).sum(0)
    low, high = without_one(pd.DataFrame(points))
    return table.assign(
        without_one_low=low.to_numpy(),
        without_one_high=high.to_numpy(),
        wilcoxon_subjects_p=[wilcoxon_p(column) for column in points.T],
        wilcoxon_subjects_floor=[wilcoxon_floor(int(n)) if n else np.nan for n in present],
        n_subjects=present,
        n_better=(points > 0).sum(0),
    )


def _stack(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Stack subjects, their regions matched by name: one may lack some."""
    aligned = []
    for part in parts.values():
        names = zip(part["family"].values, part["label"].values, strict=True)
        named = ["\t".join(name) for name in names]
        aligned.append(part.drop_vars(["family", "label"]).assign_coords(region=named))
    regions = list(dict.fromkeys(name for one in aligned for name in one["region"].values))
    families, labels = zip(*(name.split("\t") for name in regions), strict=True)
    return xr.concat(
        [one.reindex(region=regions) for one in aligned],
        xr.DataArray(list(parts), dims="subject", name="subject"),
        join="exact",
    ).assign_coords(family=("region", list(families)), label=("region", list(labels)))


def _count(sure: pd.DataFrame, group: pd.DataFrame) -> list[int]:
    """Count, for each row of the group, the rows of subjects that show the same sign."""
    keys = ["measure", "a", "b", "family", "label"]
    differences = dict(iter(sure.groupby(keys, sort=False)["difference"]))
    counts = []
    for *key, difference in group[[*keys, "difference"]].itertuples(index=False):
        shown = differences.get(tuple(key), pd.Series(dtype=float))
        counts.append(int((np.sign(shown) == np.sign(difference)).sum()))
    return counts
