"""Flatmaps of how well, and by how much better than the runner-up, voxels are predicted."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf

import pandas as pd
import xarray as xr

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.scales import BAR, BivariateScale, Scale, finite, round_end
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import DOUBLE_COLUMN, journal_style
from brainstruct.figures.tidy import label_of, voxel_table

_SQUARE = 20.0  # side of the legend of two values, mm
_BELOW = _SQUARE + 14  # room below the maps, mm
_BAR_WIDTH = 44.0  # mm


@journal_style()
def draw_alignment_maps(
    stage: Stage, winners: Mapping[str, xr.Dataset], *, labels: Mapping[str, str] | None = None
) -> Drawing:
    """Draw alignment, margin and both at once, one row per model, at the same scales.

    `winners` says of each model and voxel (with voxel coordinates i, j, k) the ``alignment`` of the
    winning instruction on the test images, and the ``margin``, how far it is ahead of the runner-up
    there. A model whose margins are all NaN (it has one instruction) gets the first map only.
    Alignment is drawn from 0 to 1, margins from 0 to a round number that covers 99 % of the pixels.
    The table: model, i, j, k, alignment, margin. A `ValueError` if there is no model.
    """
    if not winners:
        raise ValueError("no model to draw")
    heights, leads = (
        {model: stage.flatmap.average(one[name]) for model, one in winners.items()}
        for name in ("alignment", "margin")
    )
    alignment = Scale.of(heights.values(), "Normalised brain alignment", 1.0)
    # Of what is drawn: means over the depth of the cortex are smaller than the voxels' margins.
    ahead = round_end(leads.values())
    margin = Scale.of(leads.values(), "Margin over the runner-up", ahead)
    both = BivariateScale(replace(alignment, label="Alignment"), replace(margin, label="Margin"))
    raced = finite(leads.values()).size > 0
    panels: list[Panel] = []
    tables = []
    for model, one in winners.items():
        name = label_of(model, labels)
        height, lead = heights[model], leads[model]
        panels.append(Panel(stage, alignment.paint(height), f"{name}: alignment", named=not panels))
        if raced:
            alone = not finite([lead]).size
            says = "one instruction: no margin" if alone else "margin"
            panels.append(Panel(stage, margin.paint(lead), says, named=False))
            says = "" if alone else "alignment and margin"
            panels.append(Panel(stage, both.paint(height, lead), says, named=False))
        columns = {"alignment": one["alignment"], "margin": one["margin"]}
        tables.append(voxel_table(one["alignment"], columns, before={"model": model}))
    across = 3 if raced else 1

    def room(width: float) -> float:  # three bars need a broad page
        return (_BELOW if width == DOUBLE_COLUMN else inf) if raced else BAR

    page, below = draw_maps(panels, room, columns=across, title=stage.title)
    centres = [page.width * (column + 0.5) / across for column in range(across)]
    alignment.draw_bar(page, centres[0] - _BAR_WIDTH / 2, below + 3, _BAR_WIDTH)
    if raced:
        margin.draw_bar(page, centres[1] - _BAR_WIDTH / 2, below + 3, _BAR_WIDTH)
        both.draw_square(page, centres[2] - _SQUARE / 2, below + 3, _SQUARE)
    return Drawing(page.figure, pd.concat(tables, ignore_index=True))
