"""Flatmaps of concept groups: which concept, and which instruction within each, wins a voxel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import xarray as xr

from brainstruct.figures.categories import codes_of, names_of, paint_codes, shares_of
from brainstruct.figures.colour_science import further_colours
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.legend import Legend
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import CURVATURE, journal_style
from brainstruct.figures.tidy import voxel_table

_GAP = 2.0  # between the two legends, mm


# Long: what its parameters and its table are stands only here.
@journal_style()
def draw_concepts(
    stage: Stage,
    concept: xr.DataArray,
    winners: Mapping[str, xr.DataArray],
    *,
    groups: Mapping[str, Sequence[str]],
    colours: Mapping[str, str],
    concepts: Sequence[str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw the winning concept, and the winning instruction within each concept.

    Parameters
    ----------
    concept : xarray.DataArray
        (voxel), the concept whose best instruction predicts the voxel best, with voxel
        coordinates i, j, k; an empty string shows the folds.
    winners : mapping
        Concept -> (voxel), its winning instruction.
    groups : mapping
        Concept -> its instructions, in the order of the legend. One with a single instruction
        has no race and no map of its own.
    colours : mapping
        Instruction -> colour, of the study: see `brainstruct.figures.style.instruction_colours`.
    concepts : sequence of str, optional
        All of the study, each with one colour for all models; by default `groups`.

    Returns
    -------
    Drawing
        Table: i, j, k, concept, and per concept a column with its winner.

    Raises
    ------
    ValueError
        If a winner is not in its group.
    """
    known = list(concepts or groups)
    further = further_colours([*CURVATURE, "white", "black"], len(known))
    palette = {name: further[known.index(name)] for name in groups}
    codes = codes_of(concept, list(groups))
    painted = paint_codes(stage.flatmap, codes, list(palette.values()))
    panels = [Panel(stage, painted, "Winning concept")]
    notes: dict[str, str] = {}
    asks: dict[str, str] = {}
    for name, members in groups.items():
        inside = codes_of(winners[name], members)
        shares = dict.fromkeys(members, "alone")
        if len(members) > 1:
            shares = shares_of(inside, members)
            painted = paint_codes(stage.flatmap, inside, [colours[key] for key in members])
            panels.append(Panel(stage, painted, f"Within {name}"))
        for key in members:
            notes[key] = " / ".join(filter(None, (notes.get(key), shares[key])))
            asks[key] = ", ".join(filter(None, (asks.get(key), name)))
    upper = Legend(palette, shares_of(codes, list(groups)), "share of voxels")
    lower = Legend({key: colours[key] for key in notes}, notes, "share", texts, asks)

    def height(width: float) -> float:
        return upper.height(width) + _GAP + lower.height(width)

    page, below = draw_maps(panels, height, columns=2, title=stage.title)
    upper.draw(page, below)
    lower.draw(page, below + upper.height(page.width) + _GAP)
    within = {f"within_{name}": names_of(winners[name]) for name in groups}
    return Drawing(page.figure, voxel_table(concept, {"concept": names_of(concept)} | within))
