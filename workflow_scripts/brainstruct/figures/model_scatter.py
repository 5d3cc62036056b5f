"""Scatter of voxels: how well one model predicts each against another."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.page import Page, overhang, wrapped
from brainstruct.figures.scales import limits
from brainstruct.figures.style import DOUBLE_COLUMN, HALO, SEQUENTIAL, SINGLE_COLUMN, journal_style
from brainstruct.figures.tidy import label_of, voxel_table

_LEFT, _RIGHT, _GAP, _TOP, _TITLE, _BELOW, _BAR = 13.0, 3.0, 3.0, 13.0, 4.0, 14.0, 13.0  # mm
_WIDEST = 40.0  # of a panel, mm
_HEXAGONS = 28  # across a panel
_ABOVE, _UNDER = "\N{NORTH WEST ARROW}", "\N{SOUTH EAST ARROW}"  # the line of equality
_SPAN = (0.005, 0.999)  # quantiles that the axes reach

Array = NDArray[np.float64]


@journal_style()
def draw_model_scatter(
    alignment: xr.DataArray,
    regions: Mapping[str, NDArray[np.bool_]],
    *,
    model_labels: Mapping[str, str] | None = None,
    region_labels: Mapping[str, str] | None = None,
    title: str = "",
) -> Drawing:
    """Draw every pair of models against each other, one panel per region.

    Hexagons hold shares of a region's voxels, at one scale in all panels; the numbers over a panel
    count voxels above and below the line of equality.

    `alignment` (model, voxel) has the coordinate model and the voxel coordinates i, j, k; NaN is
    left out, for a pair where either model has it. Regions (voxel) are bool; one without voxels
    says "no data". The table: i, j, k, the alignment under each model and (1 or 0) membership of
    each region. A `ValueError` if there are fewer than two models.
    """
    scores = {str(one["model"].item()): one.values.astype(float) for one in alignment}
    pairs = list(combinations(scores, 2))
    if not pairs:
        raise ValueError("a scatter needs two models or more")
    columns = max(len(regions), 1)
    size = min((DOUBLE_COLUMN - _LEFT - _RIGHT - _GAP * (columns - 1)) / columns, _WIDEST)
    names = {key: wrapped(f"Alignment, {label_of(key, model_labels)}", size, 7) for key in scores}
    more = max(overhang(name, 7) for name in names.values())  # beside and below the panels
    size -= more / columns
    left, below = _LEFT + more, _BELOW + more
    head = _TOP + (_TITLE if title else 0)
    needed = left + columns * (size + _GAP) - _GAP + _RIGHT
    width = SINGLE_COLUMN if needed <= SINGLE_COLUMN else DOUBLE_COLUMN
    page = Page(width, head + len(pairs) * (size + below) + _BAR, title)
    pitch = size + _GAP, size + below
    places = page.grid(len(pairs) * len(regions), columns, (left, head), (size, size), pitch)
    ends = limits([alignment], 0.04, _SPAN)
    drawn: list[PolyCollection] = []
    for row, pair in enumerate(pairs):
        x, y = (scores[name] for name in pair)
        across, up = (names[name] for name in pair)
        for column, (region, inside) in enumerate(regions.items()):
            axes = places[row * columns + column]
            used = np.isfinite(x) & np.isfinite(y) & inside
            axes.set(xlabel=across, ylabel="" if column else up)
            axes.tick_params(labelleft=not column)
            name = "" if row else label_of(region, region_labels)
            drawn += _draw_panel(axes, x[used], y[used], ends, name)
    _draw_bar(page, drawn)
    members = {str(name): np.asarray(inside, np.int8) for name, inside in regions.items()}
    return Drawing(page.figure, voxel_table(alignment, {**scores, **members}))


def _draw_panel(
    axes: Axes, x: Array, y: Array, ends: tuple[float, float], title: str
) -> list[PolyCollection]:
    """Draw the voxels of one region, and return their hexagons."""
    over: dict[str, Any] = {"xycoords": "axes fraction", "fontsize": 6, "color": "0.35"}
    over["textcoords"] = "offset points"
    if title:
        axes.set_title(title, pad=17)
        axes.annotate(f"{x.size:,} voxels", (0, 1), (0, 10), **over)
    axes.set(xlim=ends, ylim=ends)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.plot(ends, ends, color="black", linewidth=0.6, zorder=3)
    if not x.size:
        text = axes.text(0.5, 0.5, "no data", transform=axes.transAxes, color="0.4", fontsize=6)
        text.set(ha="center", va="center", path_effects=HALO)
        return []
    cells = axes.hexbin(
        np.clip(x, *ends),
        np.clip(y, *ends),
        C=np.full(x.size, 100 / x.size),
        reduce_C_function=np.sum,
        gridsize=_HEXAGONS,
        extent=(*ends, *ends),
        cmap=SEQUENTIAL,
        linewidths=0.1,
        zorder=2,
    )
    above, below = int((y > x).sum()), int((y < x).sum())
    axes.annotate(f"{_ABOVE} {above:,}", (0, 1), (0, 3), **over)
    axes.annotate(f"{below:,} {_UNDER}", (1, 1), (0, 3), ha="right", **over)
    return [cells]


def _draw_bar(page: Page, drawn: list[PolyCollection]) -> None:
    """Give all panels one logarithmic scale of density, and draw its bar."""
    shares = np.concatenate([np.asarray(cells.get_array()) for cells in drawn] or [np.ones(1)])
    low = float(shares.min())
    high = max(float(shares.max()), 10 * low)
    norm = LogNorm(low, high)
    for cells in drawn:
        cells.set_norm(norm)
    mappable = ScalarMappable(norm, matplotlib.colormaps[SEQUENTIAL])
    look = {"label": "Voxels of the region per hexagon (%)", "format": "%g"}
    ticks = LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,))
    page.colour_bar(
        mappable, _LEFT, page.height - _BAR + 2, 60, ticks=ticks, **look
    ).ax.minorticks_off()
