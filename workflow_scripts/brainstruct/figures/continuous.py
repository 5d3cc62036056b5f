"""Flatmaps of continuous values."""

from __future__ import annotations

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.flatmap_axes import aspect, show_cortex, show_layer, view
from brainstruct.figures.flatmap_page import flatmap_page
from brainstruct.figures.region_outlines import show_regions
from brainstruct.figures.style import SEQUENTIAL, journal_style
from brainstruct.figures.surface import Flatmap
from brainstruct.figures.voxel_table import voxel_table

_BAR = 14.0  # height of the colour bar's strip, mm


@journal_style()
def draw_continuous(
    flatmap: Flatmap,
    values: xr.DataArray,
    *,
    label: str,
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: str = SEQUENTIAL,
    rois: xr.DataArray | None = None,
    zoom: bool = True,
    title: str = "",
) -> Drawing:
    """Draw one value per voxel, averaged over the depth of the cortex.

    Parameters
    ----------
    flatmap : Flatmap
        The cortex.
    values : xarray.DataArray
        (voxel), with the voxel coordinates i, j, k; NaN shows the folds.
    label : str
        What the values are, with their unit.
    vmin, vmax : float, optional
        Ends of the colour bar; by default those of the values.
    cmap : str
        A colour map of matplotlib.
    rois : xarray.DataArray, optional
        (roi, voxel), bool: regions to outline.
    zoom : bool
        Cut to the data.
    title : str
        Title of the figure.

    Returns
    -------
    Drawing
        Table: i, j, k, value.
    """
    image = flatmap.average(values)
    shown = np.isfinite(image)
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    low = vmin if vmin is not None else float(known.min()) if known.size else 0.0
    high = vmax if vmax is not None else float(known.max()) if known.size else 1.0
    scale = ScalarMappable(Normalize(low, high), matplotlib.colormaps[cmap])
    painted = scale.to_rgba(np.nan_to_num(image)).astype(np.float32)
    painted[..., 3] = shown

    window = view(flatmap, shown, zoom)
    page, (axes,), below = flatmap_page([""], aspect(window), _BAR, title)
    show_cortex(axes, flatmap, window)
    show_layer(axes, painted, window)
    show_regions(axes, flatmap, rois, window)
    strip = page.axes(page.width / 2 - 30, below + 2, 60, 2.5)
    page.figure.colorbar(scale, cax=strip, orientation="horizontal", label=label)
    return Drawing(page.figure, voxel_table(values, value=np.asarray(values)))
