"""Bars with intervals, of tables that have none."""

from __future__ import annotations

import pandas as pd

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.roi_bars import draw_roi_bars


def bars_of(table: pd.DataFrame, **options) -> Drawing:
    """Draw bars with intervals of 0.05 on either side."""
    either = {"low": table["value"] - 0.05, "high": table["value"] + 0.05}
    keys = [name for name in ("roi", "model") if name in table]
    means = table.assign(**either).groupby(keys, as_index=False)[["low", "high"]].mean()
    return draw_roi_bars(table.assign(**either), means, **options)
