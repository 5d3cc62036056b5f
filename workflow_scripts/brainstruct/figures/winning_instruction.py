"""Flatmaps of the instruction that predicts each voxel best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import xarray as xr

from brainstruct.figures.categories import codes_of, names_of, paint_codes, shares_of
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.legend import Legend
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import journal_style
from brainstruct.figures.tidy import voxel_table


@journal_style()
def draw_winning_instruction(
    stage: Stage,
    winner: xr.DataArray,
    *,
    order: Sequence[str],
    colours: Mapping[str, str],
    texts: Mapping[str, str] | None = None,
    tasks: Mapping[str, str] | None = None,
    margin: xr.DataArray | None = None,
) -> Drawing:
    """Draw the instruction that predicts each voxel best.

    `winner` (voxel) are keys of instructions, with the voxel coordinates i, j, k; an empty string
    shows the folds. `order` has all keys, in the order of the legend, which says their text and
    kind of task; `colours` those of the study, see `brainstruct.figures.style.instruction_colours`.
    `margin` (voxel) is how far the best is ahead of the second best. The table: i, j,
    k, instruction, and margin if there is one.

    Raises
    ------
    ValueError
        If a winner is not in `order`.
    """
    codes = codes_of(winner, order)
    own = {key: colours[key] for key in order}
    legend = Legend(own, shares_of(codes, order), "share of voxels", texts, tasks)
    painted = paint_codes(stage.flatmap, codes, list(own.values()))
    page, below = draw_maps([Panel(stage, painted)], legend.height, title=stage.title)
    legend.draw(page, below)
    columns = {"instruction": names_of(winner), "margin": margin}
    return Drawing(page.figure, voxel_table(winner, columns))
