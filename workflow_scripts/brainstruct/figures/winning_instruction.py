"""Flatmaps of the instruction that predicts each voxel best."""

from collections.abc import Mapping, Sequence

import xarray as xr
from numpy.typing import ArrayLike

from brainstruct.brain.labels import UNCLEAR
from brainstruct.figures.categories import clear_only, codes_of, names_of, paint_codes, shares_of
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.legend import Legend
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import NO_WINNER, journal_style
from brainstruct.figures.tidy import voxel_table


@journal_style()
def draw_winning_instruction(
    stage: Stage,
    winner: xr.DataArray,
    clear: xr.DataArray,
    *,
    order: Sequence[str],
    colours: Mapping[str, str],
    texts: Mapping[str, str] | None = None,
    tasks: Mapping[str, str] | None = None,
    columns: Mapping[str, ArrayLike] | None = None,
    race: str = "instruction",
) -> Drawing:
    """Draw the instruction that predicts each voxel best.

    `winner` (voxel) are keys of instructions, with the voxel coordinates i, j, k; an empty string
    shows the folds. Where they are not `clear` (voxel) they are drawn as `UNCLEAR`, and shares are
    those of clear winners. `order` has all keys, in the order of the legend, which says their text
    and kind of task; `colours` are the study's, see
    `brainstruct.figures.style.instruction_colours`. The table: i, j, k, instruction (whoever won),
    clear, and further `columns` (voxel). A `race` of models is drawn alike. A `ValueError` if a
    winner is not in `order`.
    """
    codes_of(winner, order)
    order = [*order, UNCLEAR]
    codes = codes_of(clear_only(winner, clear), order)
    own = {key: {**colours, **NO_WINNER}[key] for key in order}
    legend = Legend(own, shares_of(codes, order), "share of voxels", texts, tasks)
    painted = paint_codes(stage.flatmap, codes, list(own.values()))
    page, below = draw_maps([Panel(stage, painted)], legend.height, title=stage.title)
    legend.draw(page, below)
    known = {race: names_of(winner), "clear": clear.astype(int), **(columns or {})}
    return Drawing(page.figure, voxel_table(winner, known))
