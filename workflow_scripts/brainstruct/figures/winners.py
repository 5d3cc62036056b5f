"""Flatmaps of winners: which instruction, which layer, and whether the planted one was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.flatmap_axes import paint_codes
from brainstruct.figures.legend import Legend
from brainstruct.figures.scales import BAR
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import instruction_colours, journal_style, layer_colours
from brainstruct.figures.voxel_table import voxel_table

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
    stage : Stage
        The cortex.
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
    image = stage.flatmap.vote(codes, len(order))
    colours = instruction_colours(order)
    legend = Legend(colours, shares_of(codes, order), "share of voxels", texts, tasks)
    painted = paint_codes(image, list(colours.values()))
    page, below = draw_maps([Panel(stage, painted)], legend.height, title=stage.title)
    legend.draw(page, below)
    return Drawing(
        page.figure, voxel_table(winner, instruction=_named(winner), **_margin_column(margin))
    )


@journal_style()
def draw_winning_layer(
    stage: Stage,
    layer: xr.DataArray,
    *,
    n_layers: int,
    margin: xr.DataArray | None = None,
) -> Drawing:
    """Draw the layer that predicts each voxel best.

    Parameters
    ----------
    stage : Stage
        The cortex.
    layer : xarray.DataArray
        (voxel), number of a layer, with the voxel coordinates i, j, k; NaN
        shows the folds.
    n_layers : int
        Layers of the model, token embeddings (layer 0) included.
    margin
        As for `draw_winning_instruction`.

    Returns
    -------
    Drawing
        Table: i, j, k, layer, and margin if there is one.

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
    codes = layer.copy(data=whole)
    image = stage.flatmap.vote(codes, n_layers)
    colours = layer_colours(n_layers)
    painted = paint_codes(image, colours)
    page, below = draw_maps([Panel(stage, painted)], BAR, title=stage.title)

    norm = BoundaryNorm(np.arange(n_layers + 1) - 0.5, n_layers)
    strip = page.axes(page.width / 2 - 35, below + 2, 70, 2.5)
    bar = page.figure.colorbar(
        ScalarMappable(norm, ListedColormap(colours)), cax=strip, orientation="horizontal"
    )
    step = max(-(-n_layers // _MOST_TICKS), 1)
    bar.ax.xaxis.set_major_locator(FixedLocator(list(range(0, n_layers, step))))
    bar.ax.xaxis.set_minor_locator(FixedLocator([]))
    bar.set_label("Layer with the best prediction (0: token embeddings)")
    return Drawing(page.figure, voxel_table(layer, layer=numbers, **_margin_column(margin)))


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
    stage : Stage
        The cortex.
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
        key: _percent(int((hit & (truth == code)).sum()), int((asked & (truth == code)).sum()))
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
        Panel(stage, paint_codes(stage.flatmap.vote(codes, len(order)), [*colours.values()]), says)
        for codes, says in zip(pair, ("Planted", score), strict=True)
    ]
    page, below = draw_maps(panels, legend.height, title=stage.title)
    legend.draw(page, below)
    return Drawing(
        page.figure,
        voxel_table(planted, planted=_named(planted), recovered=_named(recovered)),
    )


def codes_of(keys: xr.DataArray, order: Sequence[str]) -> xr.DataArray:
    """Turn keys into their places in an order; ``""`` into -1.

    Raises
    ------
    ValueError
        If a key is not in the order.
    """
    names = _named(keys)
    unknown = sorted(set(names.tolist()) - set(order) - {""})
    if unknown:
        raise ValueError(f"instructions {', '.join(unknown)} are not in the legend's order")
    number = {key: code for code, key in enumerate(order)}
    return keys.copy(data=np.array([number.get(name, -1) for name in names], np.int64))


def _named(keys: xr.DataArray) -> NDArray[np.str_]:
    return np.asarray(keys).astype(str)


def shares_of(codes: xr.DataArray, order: Sequence[str]) -> dict[str, str]:
    """Say which share of the voxels that have a code has each; see `codes_of`."""
    numbers = np.asarray(codes)
    total = int((numbers >= 0).sum())
    return {key: _percent(int((numbers == code).sum()), total) for code, key in enumerate(order)}


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else ""


def _margin_column(margin: xr.DataArray | None) -> dict[str, NDArray[np.generic]]:
    return {} if margin is None else {"margin": np.asarray(margin)}
