"""Flattened cortices on a page: folds, coloured layers, outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from brainstruct.figures.flatmap_axes import Window, show_cortex, show_layer, view
from brainstruct.figures.page import Page
from brainstruct.figures.region_outlines import Outline, find_regions, show_regions
from brainstruct.figures.style import DOUBLE_COLUMN
from brainstruct.figures.surface import Flatmap

_RIM = 2.0  # mm
_TALLEST = 105.0  # of a flatmap, mm
_PAGE = 225.0  # of all flatmaps, mm: what a journal's page leaves beside a caption
_TITLE, _CAPTION = 6.0, 5.0  # mm


@dataclass(frozen=True)
class Stage:
    """The cortex that maps are drawn on, regions to outline (roi, voxel), the figure's title."""

    flatmap: Flatmap
    rois: xr.DataArray | None = None
    title: str = ""

    @cached_property
    def regions(self) -> list[Outline]:
        """The regions that can be seen on the flatmap."""
        return [] if self.rois is None else list(find_regions(self.flatmap, self.rois))


@dataclass(frozen=True)
class Panel:
    """One map of a page.

    `painted` [row, column, 4] is RGBA of the pixels; transparent ones show the folds. The names of
    regions can be left out (`named`): small maps beside a named one are easier to read without.
    """

    stage: Stage
    painted: NDArray[np.float32]
    caption: str = ""
    named: bool = True


def draw_maps(
    panels: Sequence[Panel], legend_height: float, *, columns: int | None = None, title: str = ""
) -> tuple[Page, float]:
    """Draw maps side by side, or in rows of several, on a page of two journal columns.

    Maps of one cortex are cut to the same view, to their data. Returns the page, whose first axes
    are the panels', in order, and where the room for the legend below starts, mm from the top.
    """
    shown: dict[int, NDArray[np.bool_]] = {}
    for panel in panels:
        cortex, known = id(panel.stage.flatmap), panel.painted[..., 3] > 0
        shown[cortex] = shown.get(cortex, False) | known
    windows = [view(panel.stage.flatmap, shown[id(panel.stage.flatmap)]) for panel in panels]
    page, places, below = _lay_out(panels, windows, legend_height, title, columns or len(panels))
    for axes, panel, window in zip(places, panels, windows, strict=True):
        show_cortex(axes, panel.stage.flatmap, window)
        show_layer(axes, panel.painted, window)
        show_regions(axes, panel.stage.flatmap, panel.stage.regions, window, panel.named)
    return page, below


def _lay_out(
    panels: Sequence[Panel],
    windows: Sequence[Window],
    legend_height: float,
    title: str,
    columns: int,
) -> tuple[Page, list[Axes], float]:
    """Make a page with axes and a caption for each map."""
    captions = [panel.caption for panel in panels]
    shapes = [  # height over width
        float((rows.stop - rows.start) / (across.stop - across.start)) for rows, across in windows
    ]
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    cell = (DOUBLE_COLUMN - _RIM * (columns + 1)) / columns
    caption = _CAPTION if any(captions) else 0.0
    room = (_PAGE - legend_height) / rows - caption - _RIM
    tallest = min(max(shapes) * cell, _TALLEST, room)
    top = _RIM + (_TITLE if title else 0)
    pitch = caption + tallest + _RIM
    page = Page(DOUBLE_COLUMN, top + rows * pitch + legend_height, title)
    axes = []
    for index, (words, shape) in enumerate(zip(captions, shapes, strict=True)):
        row, column = divmod(index, columns)
        left = _RIM + column * (cell + _RIM)
        upper = top + row * pitch + caption
        width = min(cell, tallest / shape)
        axes.append(page.axes(left + (cell - width) / 2, upper, width, width * shape))
        if words:
            page.write(left, upper - 1, words, va="bottom", fontsize=7.5, fontweight="bold")
    return page, axes, top + rows * pitch - _RIM
