"""Bars and profiles with intervals, of tables that have none: 0.05 on either side."""

from __future__ import annotations

import pandas as pd

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.layer_profiles import draw_layer_profiles
from brainstruct.figures.roi_bars import draw_roi_bars
from brainstruct.figures.shared_variance import MEAN


def ends_of(table: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Intervals of the mean of values over subjects."""
    either = table.assign(low=table["value"] - 0.05, high=table["value"] + 0.05)
    known = [name for name in keys if name in table]
    ends = either.groupby(known, as_index=False)[["low", "high"]].mean()
    return ends if len(ends) else ends.astype(object)


def bars_of(table: pd.DataFrame, **options) -> Drawing:
    either = {"low": table["value"] - 0.05, "high": table["value"] + 0.05}
    return draw_roi_bars(table.assign(**either), ends_of(table, "roi", "model"), **options)


def profiles_of(table: pd.DataFrame, **options) -> Drawing:
    known = {"roi", "model", "layer", "value"} <= {*table}
    ends = ends_of(table, "roi", "model", "layer") if known else pd.DataFrame()
    return draw_layer_profiles(table, ends, **options)


def share_ends(table: pd.DataFrame) -> pd.DataFrame:
    """Intervals of shares of variance, of every subject and of their mean."""
    keys = ["subject", "roi", "a", "b"]
    parts = [name for name in ("shared", "unique_a", "unique_b") if name in table]
    long = table.melt(keys, parts, "part")
    ends = [ends_of(one, *keys, "part") for one in (long, long.assign(subject=MEAN))]
    return pd.concat(ends)
