"""A bar over subjects: mean, standard error and every subject as a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from brainstruct.figures.tidy import mean_and_sem

_SHAPES = ("o", "s", "^", "D", "v", "P", "X", "h")
_LOOK: dict[str, Any] = {"color": "white", "markeredgecolor": "0.15", "markeredgewidth": 0.4}


def draw_bar(
    axes: Axes,
    x: float,
    values: pd.Series,
    subjects: Sequence[str],
    *,
    width: float,
    colour: str,
) -> float | None:
    """Draw one bar.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to.
    x, width : float
        Middle and width of the bar, data coordinates.
    values : pandas.Series
        One per subject, the index; NaN or absent: the subject has none.
    subjects : sequence of str
        All subjects of the figure: each has its symbol and its place.
    colour : str
        Colour of the bar.

    Returns
    -------
    float or None
        The highest point drawn; None if there is nothing to draw.
    """
    mean, sem = mean_and_sem(values)
    if np.isnan(mean):
        return None
    axes.bar(x, mean, width=width, color=colour, edgecolor="none", zorder=2)
    top = max(mean, float(values.max()))
    if not np.isnan(sem):
        axes.errorbar(x, mean, sem, color="black", linewidth=0.8, zorder=4)
        top = max(top, mean + sem)
    spread = np.linspace(-0.28, 0.28, len(subjects)) if len(subjects) > 1 else [0.0]
    for number, subject in enumerate(subjects):
        if subject in values.index:
            axes.plot(
                x + spread[number] * width,
                values[subject],
                _SHAPES[number % len(_SHAPES)],
                markersize=2.0,
                zorder=3,
                clip_on=False,
                **_LOOK,
            )
    return top


def subject_keys(subjects: Sequence[str]) -> list[Artist]:
    """Return the symbols of subjects for a legend."""
    return [
        Line2D(
            [],
            [],
            marker=_SHAPES[number % len(_SHAPES)],
            linestyle="none",
            markersize=3.2,
            label=subject,
            **_LOOK,
        )
        for number, subject in enumerate(subjects)
    ]


def say_no_data(axes: Axes, x: float) -> None:
    """Write that there is nothing to draw at a place on the x axis."""
    axes.text(x, 0, "no data", ha="center", va="bottom", color="0.4", fontsize=6)


def value_limits(low: float, high: float, head: float) -> tuple[float, float]:
    """Return limits of an axis that hold 0, the values and some room above.

    Parameters
    ----------
    low, high : float
        Smallest and largest value; NaN if there are none.
    head : float
        Room above, as a share of the values' span.
    """
    if np.isnan(low) or np.isnan(high):
        return 0.0, 1.0 + head
    low, high = min(low, 0.0), max(high, 0.0)
    span = (high - low) or 1.0
    return low - (0.05 * span if low < 0 else 0.0), high + head * span
