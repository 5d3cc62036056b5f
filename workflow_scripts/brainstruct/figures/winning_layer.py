"""Flatmaps of the layer that predicts each voxel best."""

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.ticker import FixedLocator

from brainstruct.figures.categories import paint_codes
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.scales import BAR, Scale
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import journal_style, layer_colours
from brainstruct.figures.tidy import voxel_table

_MOST_TICKS = 12


@journal_style()
def draw_winning_layer(
    stage: Stage, layer: xr.DataArray, low: xr.DataArray, high: xr.DataArray, *, n_layers: int
) -> Drawing:
    """Draw the layer that predicts each voxel best, and how many layers the best may be among.

    `layer` (voxel) has the voxel coordinates i, j, k; NaN shows the folds. `low` and `high` (voxel)
    are the ends of its interval; without any there is no second map. `n_layers` includes token
    embeddings (layer 0). The table: i, j, k, layer, low, high. A `ValueError` if a layer is not one
    of 0 to `n_layers` - 1.
    """
    numbers = np.asarray(layer, float)
    known = np.isfinite(numbers)
    whole = np.where(known, numbers, -1).astype(np.int64)
    if known.any() and (whole[known].min() < 0 or whole.max() >= n_layers):
        raise ValueError(f"layers {np.unique(whole[known])} of a model with {n_layers}")
    colours = layer_colours(n_layers)
    painted = paint_codes(stage.flatmap, layer.copy(data=whole), colours)
    panels = [Panel(stage, painted, "Best layer")]
    among = high - low + 1
    width = Scale("Layers that the best one may be among", 1.0, float(n_layers))
    if np.isfinite(among).any():
        image = width.paint(stage.flatmap.average(among))
        panels.append(Panel(stage, image, "How sure: width of the interval", named=False))
    page, below = draw_maps(panels, lambda _: BAR, title=stage.title)

    norm = BoundaryNorm(np.arange(n_layers + 1) - 0.5, n_layers)
    mappable = ScalarMappable(norm, ListedColormap(colours))
    centre, bar_width = page.width / (2 * len(panels)), 70 if len(panels) == 1 else 60
    if len(panels) > 1:
        width.draw_bar(page, page.width - centre - bar_width / 2, below + 2, bar_width)
    bar = page.colour_bar(mappable, centre - bar_width / 2, below + 2, bar_width)
    step = max(-(-n_layers // _MOST_TICKS), 1)
    bar.ax.xaxis.set_major_locator(FixedLocator(list(range(0, n_layers, step))))
    bar.ax.xaxis.set_minor_locator(FixedLocator([]))
    bar.set_label("Layer with the best prediction (0: token embeddings)")
    return Drawing(page.figure, voxel_table(layer, {"layer": numbers, "low": low, "high": high}))
