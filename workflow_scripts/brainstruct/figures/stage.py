"""Flattened cortices on a page: folds, coloured layers, outlines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.figures.flatmap_axes import show_cortex, show_layer, view
from brainstruct.figures.map_layout import CAPTION_SIZE, MapLayout
from brainstruct.figures.page import Page
from brainstruct.figures.region_outlines import Outline, find_regions, show_regions
from brainstruct.figures.surface import Flatmap

_RIM, _TITLE = 2.0, 6.0  # mm


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
    panels: Sequence[Panel],
    legend: Callable[[float], float],
    *,
    columns: int | None = None,
    title: str = "",
) -> tuple[Page, float]:
    """Draw maps side by side, or in rows of several, on a page of a journal's width.

    Maps of one cortex are cut to the same view, to their data. `legend` says the height of the room
    below on a page of a width, in mm. What is not said here is as for `MapLayout.best`. Returns the
    page, whose first axes are the panels', in order, and where the room for the legend starts, mm
    from the top.
    """
    shown: dict[int, NDArray[np.bool_]] = {}
    for panel in panels:
        cortex, known = id(panel.stage.flatmap), panel.painted[..., 3] > 0
        shown[cortex] = shown.get(cortex, False) | known
    windows = [view(panel.stage.flatmap, shown[id(panel.stage.flatmap)]) for panel in panels]
    layout = MapLayout.best(
        [(rows.stop - rows.start) / (across.stop - across.start) for rows, across in windows],
        [panel.caption for panel in panels],
        legend,
        min(columns or len(panels), len(panels)),
    )
    top = _RIM + (_TITLE if title else 0)
    page = Page(layout.width, top + layout.height + layout.below, title)
    for panel, window, place in zip(panels, windows, layout.places, strict=True):
        axes = page.axes(place.left, top + place.top, place.width, place.height)
        show_cortex(axes, panel.stage.flatmap, window)
        show_layer(axes, panel.painted, window)
        show_regions(axes, panel.stage.flatmap, panel.stage.regions, window, panel.named)
        look: dict[str, Any] = {"fontsize": CAPTION_SIZE, "fontweight": "bold", "va": "bottom"}
        page.write(place.left, top + place.top - 1, place.caption, **look)
    return page, top + layout.height - _RIM
