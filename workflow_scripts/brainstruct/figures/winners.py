"""Flatmaps of winners: which instruction, which layer, and whether the planted one was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.ticker import FixedLocator

from brainstruct.figures.categories import codes_of, names_of, paint_codes, percent, shares_of
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.legend import Legend
from brainstruct.figures.scales import BAR
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import instruction_colours, journal_style, layer_colours
from brainstruct.figures.tidy import voxel_table

_MOST_TICKS = 12


@journal_style()
def draw_winning_instruction(
    stage: Stage,
    winner: xr.DataArray,
    *,
    order: Sequence[str],
    texts: Mapping[str, str] | None = None,
    tasks: Mapping[str, str] | None = None,
    margin: xr.DataArray | None = None,
) -> Drawing:
    """Draw the instruction that predicts each voxel best.

    Parameters
    ----------
    winner : xarray.DataArray
        (voxel), keys of instructions, with the voxel coordinates i, j, k; an
        empty string shows the folds.
    order : sequence of str
        All keys, in the order of the legend.
    texts, tasks : mapping, optional
        Key -> text and kind of task, for the legend.
    margin : xarray.DataArray, optional
        (voxel): how far the best is ahead of the second best, for the table.

    Returns
    -------
    Drawing
        Table: i, j, k, instruction, and margin if there is one.

    Raises
    ------
    ValueError
        If a winner is not in `order`.
    """
    codes = codes_of(winner, order)
    colours = instruction_colours(order)
    legend = Legend(colours, shares_of(codes, order), "share of voxels", texts, tasks)
    painted = paint_codes(stage.flatmap, codes, list(colours.values()))
    page, below = draw_maps([Panel(stage, painted)], legend.height, title=stage.title)
    legend.draw(page, below)
    columns = {"instruction": names_of(winner), "margin": margin}
    return Drawing(page.figure, voxel_table(winner, columns))


@journal_style()
def draw_winning_layer(stage: Stage, layer: xr.DataArray, *, n_layers: int) -> Drawing:
    """Draw the layer that predicts each voxel best.

    Parameters
    ----------
    layer : xarray.DataArray
        (voxel), number of a layer, with the voxel coordinates i, j, k; NaN
        shows the folds.
    n_layers : int
        Layers of the model, token embeddings (layer 0) included.

    Returns
    -------
    Drawing
        Table: i, j, k, layer.

    Raises
    ------
    ValueError
        If a layer is not one of 0 to `n_layers` - 1.
    """
    numbers = np.asarray(layer, float)
    known = np.isfinite(numbers)
    whole = np.where(known, numbers, -1).astype(np.int64)
    if known.any() and (whole[known].min() < 0 or whole.max() >= n_layers):
        raise ValueError(f"layers {np.unique(whole[known])} of a model with {n_layers}")
    colours = layer_colours(n_layers)
    painted = paint_codes(stage.flatmap, layer.copy(data=whole), colours)
    page, below = draw_maps([Panel(stage, painted)], BAR, title=stage.title)

    norm = BoundaryNorm(np.arange(n_layers + 1) - 0.5, n_layers)
    mappable = ScalarMappable(norm, ListedColormap(colours))
    bar = page.colour_bar(mappable, page.width / 2 - 35, below + 2, 70)
    step = max(-(-n_layers // _MOST_TICKS), 1)
    bar.ax.xaxis.set_major_locator(FixedLocator(list(range(0, n_layers, step))))
    bar.ax.xaxis.set_minor_locator(FixedLocator([]))
    bar.set_label("Layer with the best prediction (0: token embeddings)")
    return Drawing(page.figure, voxel_table(layer, {"layer": numbers}))


@journal_style()
def draw_planted_vs_recovered(
    stage: Stage,
    planted: xr.DataArray,
    recovered: xr.DataArray,
    *,
    order: Sequence[str],
    texts: Mapping[str, str] | None = None,
    tasks: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw what drives a synthetic brain beside what the encoding models say.

    Parameters
    ----------
    planted, recovered : xarray.DataArray
        (voxel), keys of instructions, with the voxel coordinates i, j, k, the
        same voxels in both; an empty string where nothing was planted or
        no winner was declared. Only voxels with both are counted.
    order, texts, tasks
        As for `draw_winning_instruction`.

    Returns
    -------
    Drawing
        Table: i, j, k, planted, recovered.

    Raises
    ------
    ValueError
        If a key is not in `order`, or the arrays are not of the same voxels.
    """
    for axis in ("i", "j", "k"):
        if not np.array_equal(planted[axis], recovered[axis]):
            raise ValueError("planted and recovered maps are not of the same voxels")
    pair = [codes_of(planted, order), codes_of(recovered, order)]
    truth, found = (np.asarray(codes) for codes in pair)
    asked = (truth >= 0) & (found >= 0)
    hit = asked & (truth == found)
    notes = {
        key: percent(int((hit & (truth == code)).sum()), int((asked & (truth == code)).sum()))
        for code, key in enumerate(order)
    }
    n_hit, n_asked = int(hit.sum()), int(asked.sum())
    score = (
        f"Recovered: {n_hit} of {n_asked} voxels, {100 * n_hit / n_asked:.1f} %"
        if n_asked
        else "Recovered: nothing to compare"
    )
    colours = instruction_colours(order)
    legend = Legend(colours, notes, "recovered", texts, tasks)
    panels = [
        Panel(stage, paint_codes(stage.flatmap, codes, list(colours.values())), says)
        for codes, says in zip(pair, ("Planted", score), strict=True)
    ]
    page, below = draw_maps(panels, legend.height, title=stage.title)
    legend.draw(page, below)
    columns = {"planted": names_of(planted), "recovered": names_of(recovered)}
    return Drawing(page.figure, voxel_table(planted, columns))
