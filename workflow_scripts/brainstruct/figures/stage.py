"""Flattened cortices on a page: folds, coloured layers, outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from brainstruct.figures.flatmap_axes import aspect, show_cortex, show_layer, view
from brainstruct.figures.flatmap_page import flatmap_page
from brainstruct.figures.page import Page
from brainstruct.figures.region_outlines import Outline, find_regions, show_regions
from brainstruct.figures.surface import Flatmap

Painted = NDArray[np.float32]
"""[row, column, 4]: RGBA of a flatmap's pixels; transparent ones show the folds."""


@dataclass(frozen=True)
class Stage:
    """The cortex that maps are drawn on, and what they have in common.

    Attributes
    ----------
    flatmap : Flatmap
        The cortex.
    rois : xarray.DataArray, optional
        (roi, voxel), bool: regions to outline.
    zoom : bool
        Cut to the data.
    title : str
        Title of the figure.
    """

    flatmap: Flatmap
    rois: xr.DataArray | None = None
    zoom: bool = True
    title: str = ""

    @cached_property
    def regions(self) -> list[Outline]:
        """The regions that can be seen on the flatmap."""
        return [] if self.rois is None else list(find_regions(self.flatmap, self.rois))


@dataclass(frozen=True)
class Panel:
    """One map of a page.

    Attributes
    ----------
    stage : Stage
        Its cortex.
    painted : numpy.ndarray
        [row, column, 4]: what is drawn over the folds.
    caption : str
        Written over the map.
    named : bool
        Write the names of regions into their outlines. Small maps beside a
        named one are easier to read without.
    """

    stage: Stage
    painted: Painted
    caption: str = ""
    named: bool = True


def draw_maps(
    panels: Sequence[Panel], legend_height: float, *, columns: int | None = None, title: str = ""
) -> tuple[Page, float]:
    """Draw maps side by side, or in rows of several.

    Parameters
    ----------
    panels : sequence of Panel
        Row by row. Maps of one cortex are cut to the same view.
    legend_height : float
        Room below, mm.
    columns : int, optional
        Maps in a row; by default all.
    title : str
        Title of the page.

    Returns
    -------
    page : Page
        The page; its first axes are the panels', in order.
    below : float
        Where the room below starts, mm from the top.
    """
    views = {}
    for panel in panels:
        flatmap = panel.stage.flatmap
        if id(flatmap) not in views:
            shown = [
                other.painted[..., 3] > 0 for other in panels if other.stage.flatmap is flatmap
            ]
            views[id(flatmap)] = view(flatmap, np.any(shown, axis=0), panel.stage.zoom)
    page, places, below = flatmap_page(
        [panel.caption for panel in panels],
        [aspect(views[id(panel.stage.flatmap)]) for panel in panels],
        legend_height,
        title,
        columns,
    )
    for axes, panel in zip(places, panels, strict=True):
        flatmap = panel.stage.flatmap
        window = views[id(flatmap)]
        show_cortex(axes, flatmap, window)
        show_layer(axes, panel.painted, window)
        show_regions(axes, flatmap, panel.stage.regions, window, panel.named)
    return page, below
