"""A bar over subjects: their mean, its interval, and every subject as a point."""

from collections.abc import Sequence
from itertools import cycle, product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from brainstruct.figures.scales import finite
from brainstruct.figures.tidy import mean_and_sem

_SYMBOLS = tuple(product(("white", "0.6", "0.15"), ("o", "s", "^", "D", "v", "P", "X", "h")))
_LOOK: dict[str, Any] = {"markeredgecolor": "0.15", "markeredgewidth": 0.4}


def prepare_axes(axes: Axes) -> None:
    """Draw the line that bars stand on."""
    axes.grid(axis="y")
    axes.axhline(0, color="black", linewidth=0.6)
    axes.tick_params(axis="x", length=0)
    axes.spines["bottom"].set_visible(False)


def draw_bar(
    axes: Axes,
    x: float,
    values: pd.Series,
    subjects: Sequence[str],
    *,
    width: float,
    colour: str,
    interval: tuple[float, float],
    intervals: pd.DataFrame,
) -> float | None:
    """Draw one bar, and return its highest point; None if there is nothing to draw.

    `x` and `width` are in data coordinates. Values are by subject, the index; NaN or absent: the
    subject has none. Each of all subjects of the figure has its symbol and its place. Whiskers are
    the interval of the mean, and `intervals` of the subjects, columns low and high.
    """
    mean, _ = mean_and_sem(values)
    if np.isnan(mean):
        return None
    axes.bar(x, mean, width=width, color=colour, edgecolor="none", zorder=2)
    _draw_whisker(axes, x, interval, 0.8, zorder=4)
    top = float(np.nanmax([mean, values.max(), interval[1]]))
    spread = np.linspace(-0.28, 0.28, len(subjects)) if len(subjects) > 1 else [0.0]
    look = {"markersize": 2.0, "zorder": 5, "clip_on": False, **_LOOK}
    for subject, share, (fill, shape) in zip(subjects, spread, cycle(_SYMBOLS), strict=False):
        if subject in values.index:
            low, high = intervals.loc[subject, ["low", "high"]]
            _draw_whisker(axes, x + share * width, (low, high), 0.4, zorder=3)
            top = float(np.nanmax([top, high]))
            axes.plot(x + share * width, values[subject], shape, color=fill, **look)
    return top


def _draw_whisker(
    axes: Axes, x: float, ends: tuple[float, float], linewidth: float, zorder: float
) -> None:
    """Draw a black line with a white rim, which dark bars need; none if an end is not known."""
    if np.isnan(ends).any():
        return
    rim = withStroke(linewidth=linewidth + 0.35, foreground="white")
    axes.vlines(x, *ends, color="black", linewidth=linewidth, zorder=zorder, path_effects=[rim])


def subject_keys(subjects: Sequence[str]) -> list[Artist]:
    """Return the symbols of subjects for a legend."""
    return [
        Line2D(
            [], [], color=fill, marker=shape, linestyle="", markersize=3.2, label=subject, **_LOOK
        )
        for subject, (fill, shape) in zip(subjects, cycle(_SYMBOLS), strict=False)
    ]


def say_no_data(axes: Axes, x: float) -> None:
    """Write that there is nothing to draw at a place on the x axis."""
    axes.text(x, 0, "no data", ha="center", va="bottom", color="0.4", fontsize=6)


def value_limits(values: ArrayLike, head: float) -> tuple[float, float]:
    """Return limits of an axis that hold 0, the values and, as a share of their span, a head."""
    known = finite([values])
    if not known.size:
        return 0.0, 1.0 + head
    low, high = min(float(known.min()), 0.0), max(float(known.max()), 0.0)
    span = (high - low) or 1.0
    return low - (0.05 * span if low < 0 else 0.0), high + head * span
