"""Flatmaps of planted instructions beside those that were found."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from brainstruct.brain.labels import UNCLEAR
from brainstruct.figures.categories import clear_only, codes_of, names_of, paint_codes, percent
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.legend import Legend
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import NO_WINNER, journal_style
from brainstruct.figures.tidy import voxel_table


@journal_style()
def draw_planted_recovered(
    stage: Stage,
    planted: xr.DataArray,
    recovered: xr.DataArray,
    clear: xr.DataArray,
    *,
    order: Sequence[str],
    colours: Mapping[str, str],
    texts: Mapping[str, str] | None = None,
    tasks: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw what drives a synthetic brain beside what the encoding models say.

    Both are keys of instructions, (voxel), of the same voxels, with the voxel coordinates i, j, k;
    an empty string where nothing was planted or no winner was declared. Only voxels with both are
    counted; those that are not `clear` (voxel) are drawn as `UNCLEAR`. What is not said here is as
    for `brainstruct.figures.winning_instruction.draw_winning_instruction`. The table: i, j, k,
    planted, recovered, clear. A `ValueError` if a key is not in `order`, or the voxels are not the
    same.
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
        f"Recovered: {n_hit} of {n_asked} voxels, {100 * n_hit / n_asked:.1f} %; "
        f"{percent(int(np.asarray(clear)[asked].sum()), n_asked)} clear"
        if n_asked
        else "Recovered: nothing to compare"
    )
    drawn = [pair[0], codes_of(clear_only(recovered, clear), [*order, UNCLEAR])]
    own = {key: colours[key] for key in order} | NO_WINNER
    legend = Legend(own, notes, "recovered", texts, tasks)
    panels = [
        Panel(stage, paint_codes(stage.flatmap, codes, list(own.values())), says)
        for codes, says in zip(drawn, ("Planted", score), strict=True)
    ]
    page, below = draw_maps(panels, legend.height, title=stage.title)
    legend.draw(page, below)
    columns = {"planted": names_of(planted), "recovered": names_of(recovered)}
    return Drawing(page.figure, voxel_table(planted, {**columns, "clear": clear.astype(int)}))
