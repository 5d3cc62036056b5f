"""Flatmaps of concept groups: which concept, and which instruction within each, wins a voxel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from brainstruct.figures.colour_science import further_colours
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.flatmap_axes import paint_codes
from brainstruct.figures.legend import Legend
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import CURVATURE, instruction_colours, journal_style
from brainstruct.figures.voxel_table import voxel_table
from brainstruct.figures.winners import codes_of, shares_of

_GAP = 2.0  # between the two legends, mm


@journal_style()
def draw_concepts(
    stage: Stage,
    concept: xr.DataArray,
    winners: Mapping[str, xr.DataArray],
    *,
    groups: Mapping[str, Sequence[str]],
    concepts: Sequence[str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw the winning concept, and the winning instruction within each concept.

    Parameters
    ----------
    stage : Stage
        The cortex.
    concept : xarray.DataArray
        (voxel), the concept whose best instruction predicts the voxel best,
        with voxel coordinates i, j, k; an empty string shows the folds.
    winners : mapping
        Concept -> (voxel), its winning instruction.
    groups : mapping
        Concept -> its instructions, in the order of the legend. One with a
        single instruction has no race and no map of its own.
    concepts : sequence of str, optional
        All concepts of the study: each has its colour whatever concepts a
        model was asked for. By default those of `groups`.
    texts : mapping, optional
        Instruction -> text, for the legend.

    Returns
    -------
    Drawing
        Table: i, j, k, concept, and per concept a column with its winner.

    Raises
    ------
    ValueError
        If a winner is not in its group.
    """
    names = list(groups)
    known = list(concepts or names)
    colours = further_colours([*CURVATURE, "white", "black"], len(known))
    palette = dict(zip(known, colours, strict=True))
    concept_colours = {name: palette[name] for name in names}
    codes = codes_of(concept, names)
    painted = paint_codes(
        stage.flatmap.vote(codes, len(names)), [concept_colours[name] for name in names]
    )
    panels = [Panel(stage, painted, "Winning concept")]
    notes: dict[str, str] = {}
    asks: dict[str, str] = {}
    for name, members in groups.items():
        inside = codes_of(winners[name], members)
        shares = shares_of(inside, members)
        if len(members) > 1:
            image = stage.flatmap.vote(inside, len(members))
            painted = paint_codes(image, list(instruction_colours(members).values()))
            panels.append(Panel(stage, painted, f"Within {name}"))
        else:
            shares = dict.fromkeys(members, "alone")
        for key in members:
            notes[key] = " / ".join(filter(None, (notes.get(key), shares[key])))
            asks[key] = ", ".join(filter(None, (asks.get(key), name)))
    upper = Legend(concept_colours, shares_of(codes, names), "share of voxels")
    lower = Legend(instruction_colours(list(notes)), notes, "share", texts, asks)
    height = upper.height + _GAP + lower.height
    page, below = draw_maps(panels, height, columns=min(len(panels), 2), title=stage.title)
    upper.draw(page, below)
    lower.draw(page, below + upper.height + _GAP)
    columns = {f"within_{name}": np.asarray(winners[name]).astype(str) for name in names}
    return Drawing(
        page.figure, voxel_table(concept, concept=np.asarray(concept).astype(str), **columns)
    )
