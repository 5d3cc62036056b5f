"""From subjects to the group: points, means, standard errors, and honest tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.encoding.comparison import difference_statistics
from brainstruct.encoding.fdr import (
    benjamini_hochberg,
    subjects_note,
    wilcoxon_floor,
    wilcoxon_p,
)

LEVEL = 0.05
"""False discovery rate at which a difference counts as significant."""

GROUP = "group"
"""Stands for all subjects together in the column ``subject``."""


def subject_means(table: pd.DataFrame, values: Sequence[str]) -> pd.DataFrame:
    """Mean and standard error over subjects of a table with a row per subject.

    Parameters
    ----------
    table : pandas.DataFrame
        A column ``subject``; every column that is neither it, nor in `values`,
        nor named ``n_...``, tells groups apart.
    values : sequence of str
        Columns to average.

    Returns
    -------
    pandas.DataFrame
        The grouping columns, then ``{value}_mean``, ``{value}_sem`` (sample
        standard deviation / sqrt(n); NaN with one subject) and
        ``{value}_n_subjects`` (subjects in whom it is not NaN).
    """
    keys = [
        name
        for name in table.columns
        if name not in {"subject", *values} and not name.startswith("n_")
    ]
    grouped = table.groupby(keys, sort=False, dropna=False)[list(values)]
    parts = {"mean": grouped.mean(), "sem": grouped.sem(), "n_subjects": grouped.count()}
    result = pd.DataFrame(
        {f"{value}_{part}": parts[part][value] for value in values for part in parts}
    )
    return result.reset_index()


def comparison_table(comparisons: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Tabulate regional comparisons of all subjects, and of the group.

    The group's difference is the mean over subjects. Its bootstrap averages
    the subjects' draws: an image has the same weight in every subject's draw,
    so that images are resampled once for all of them.

    Parameters
    ----------
    comparisons : mapping
        Subject -> result of `brainstruct.encoding.comparison.compare_groups`.
        Subjects may lack regions; comparisons must be the same.

    Returns
    -------
    pandas.DataFrame
        One row per measure, comparison, region and subject (or `GROUP`), with
        a, b, difference, se, ci_low, ci_high, p, q (FDR over the regions and
        comparisons of one subject and measure), cohen_q (effect size: mean over
        voxels, and of the group over subjects), share_better,
        share_significant, wilcoxon_voxels_p, wilcoxon_subjects_p,
        wilcoxon_subjects_floor, n_subjects, n_better (subjects in whom a is
        better), n_significant (subjects with q <= 0.05 and the group's sign),
        n_voxels, n_excluded.
    """
    subjects = pd.concat(
        [_rows(dataset, subject) for subject, dataset in comparisons.items()], ignore_index=True
    )
    group = _group_rows(comparisons)
    group["n_significant"] = _count_significant(subjects, group)
    return pd.concat([subjects, group], ignore_index=True)


def comparison_notes(n_subjects: int, n_images: Collection[int], n_draws: int) -> str:
    """Say beside a table what its tests can and cannot show.

    Parameters
    ----------
    n_subjects : int
        Subjects of the table.
    n_images : collection of int
        Test images of every comparison in the table.
    n_draws : int
        Bootstrap samples of them.
    """
    fewest, most = min(n_images), max(n_images)
    images = str(most) if fewest == most else f"{fewest} to {most}"
    return "\n".join(
        (
            f"p: two-sided, difference divided by its standard error over {n_draws} bootstrap "
            f"samples of the {images} test images, models not refitted.",
            "q: Benjamini-Hochberg over the regions and comparisons of one subject and measure.",
            "cohen_q: effect size, mean over voxels of atanh(r_a) - atanh(r_b): 0.1 small, "
            "0.3 medium, 0.5 large.",
            "n_better: subjects in whom a is better. n_significant: subjects who show the "
            "group's sign by themselves, q <= 0.05.",
            "The confidence interval is the percentile interval of the same samples.",
            subjects_note(n_subjects),
            "wilcoxon_voxels_p treats voxels as independent. They are not, so it is "
            "anti-conservative: it is given for comparison with earlier work only.",
            "",
        )
    )


def _rows(dataset: xr.Dataset, subject: str) -> pd.DataFrame:
    draws = dataset["region_draws"].transpose("draw", "measure", "comparison", "region")
    shape = draws.shape[1:]
    a, b = (
        dataset[name].transpose("measure", "comparison", "region").values
        for name in ("region_a", "region_b")
    )
    found = difference_statistics(
        (a - b).ravel(),
        draws.values.reshape(len(draws), -1),
        float(dataset.attrs["confidence"]),
    )

    def spread(name: str) -> np.ndarray:
        values = dataset[name].broadcast_like(dataset["region_a"])
        return np.asarray(values.transpose("measure", "comparison", "region").values).ravel()

    table = pd.DataFrame(
        {
            "subject": subject,
            **{name: spread(name) for name in ("measure", "family", "label", "a", "b")},
            "score_a": a.ravel(),
            "score_b": b.ravel(),
            **vars(found),
            "q": np.nan,
            "cohen_q": spread("region_cohen_q"),
            "share_better": spread("region_share_better"),
            "share_significant": spread("region_share_significant"),
            "wilcoxon_voxels_p": spread("region_wilcoxon_p"),
            "n_voxels": spread("n_voxels"),
            "n_excluded": spread("n_excluded"),
        }
    )
    table["q"] = benjamini_hochberg(found.p.reshape(shape[0], -1), axis=-1).ravel()
    return table


def _group_rows(comparisons: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    keep = ["region_a", "region_b", "region_draws", "region_cohen_q", "region_share_better"]
    aligned = []
    for dataset in comparisons.values():
        # Regions are matched by name: a subject may lack some.
        named = [f"{f}\t{label}" for f, label in zip(
            dataset["family"].values, dataset["label"].values, strict=True)]  # fmt: skip
        aligned.append(dataset[keep].drop_vars(["family", "label"]).assign_coords(region=named))
    regions = list(dict.fromkeys(name for one in aligned for name in one["region"].values))
    stacked = xr.concat(
        [one.reindex(region=regions) for one in aligned],
        xr.DataArray(list(comparisons), dims="subject", name="subject"),
        join="exact",
    )
    difference = (stacked["region_a"] - stacked["region_b"]).transpose(
        "subject", "measure", "comparison", "region"
    )
    points = difference.values.reshape(len(comparisons), -1)
    mean = stacked.mean("subject", skipna=True)
    confidence = float(next(iter(comparisons.values())).attrs["confidence"])
    draws = mean["region_draws"].transpose("draw", "measure", "comparison", "region").values
    order = ("measure", "comparison", "region")
    a, b = (mean[name].transpose(*order) for name in ("region_a", "region_b"))
    found = difference_statistics((a - b).values.ravel(), draws.reshape(len(draws), -1), confidence)
    present = np.isfinite(points).sum(0)

    def spread(name: str) -> np.ndarray:
        return np.asarray(a[name].broadcast_like(a).transpose(*order).values).ravel()

    names = pd.Series(spread("region")).str.split("\t", expand=True)
    table = pd.DataFrame(
        {
            "subject": GROUP,
            "measure": spread("measure"),
            "family": names[0],
            "label": names[1],
            "a": spread("a"),
            "b": spread("b"),
            "score_a": a.values.ravel(),
            "score_b": b.values.ravel(),
            **vars(found),
            "q": np.nan,
            **{
                name: mean[f"region_{name}"].broadcast_like(a).transpose(*order).values.ravel()
                for name in ("cohen_q", "share_better")
            },
            "wilcoxon_subjects_p": [wilcoxon_p(column) for column in points.T],
            "wilcoxon_subjects_floor": [wilcoxon_floor(int(n)) if n else np.nan for n in present],
            "n_subjects": present,
            "n_better": (points > 0).sum(0),
        }
    )  # fmt: skip
    by_measure = found.p.reshape(difference.sizes["measure"], -1)
    table["q"] = benjamini_hochberg(by_measure, axis=-1).ravel()
    return table


def _count_significant(subjects: pd.DataFrame, group: pd.DataFrame) -> list[int]:
    """Count, for each row of the group, the subjects who show the same by themselves."""
    keys = ["measure", "a", "b", "family", "label"]
    sure = subjects[subjects["q"] <= LEVEL]
    differences = dict(iter(sure.groupby(keys, sort=False)["difference"]))
    counts = []
    for *key, difference in group[[*keys, "difference"]].itertuples(index=False):
        shown = differences.get(tuple(key), pd.Series(dtype=float))
        counts.append(int((np.sign(shown) == np.sign(difference)).sum()))
    return counts
