"""Flatmaps of concept groups: which concept, and which instruction within each, wins a voxel."""

from collections.abc import Mapping, Sequence

import xarray as xr
from numpy.typing import ArrayLike

from brainstruct.brain.labels import UNCLEAR
from brainstruct.figures.categories import clear_only, codes_of, names_of, paint_codes, shares_of
from brainstruct.figures.colour_science import further_colours
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.legend import Legend
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import CURVATURE, NO_WINNER, journal_style
from brainstruct.figures.tidy import voxel_table

_GAP = 2.0  # between the two legends, mm


@journal_style()
def draw_concepts(
    stage: Stage,
    concept: xr.DataArray,
    winners: Mapping[str, xr.DataArray],
    clear: Mapping[str, xr.DataArray],
    *,
    groups: Mapping[str, Sequence[str]],
    colours: Mapping[str, str],
    concepts: Sequence[str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw the winning concept, and the winning instruction within each concept.

    `concept` (voxel) is the best one, with coordinates i, j, k; an empty string shows the folds.
    `winners` says of each concept its winning instruction (voxel), `clear` of each, and of the
    winning one (""), whether that is sure (voxel): where not, maps say `UNCLEAR`. `groups` are the
    instructions of each, in the order of the legend; a single one has no map. `colours` are the
    study's, see `brainstruct.figures.style.instruction_colours`; `concepts` are all of the study,
    each with one colour for all models, by default `groups`. The table: i, j, k, concept, clear,
    and columns of each concept. A `ValueError` if a winner is not in its group.
    """
    known = list(concepts or groups)
    further = further_colours([*CURVATURE, "white", "black"], len(known))
    palette = {name: further[known.index(name)] for name in groups} | NO_WINNER
    codes = codes_of(clear_only(concept, clear[""]), list(palette))
    painted = paint_codes(stage.flatmap, codes, list(palette.values()))
    panels = [Panel(stage, painted, "Winning concept")]
    notes, asks = dict[str, str](), dict[str, str]()
    for name, members in groups.items():
        inside, shares = _within(winners[name], clear[name], members)
        if len(members) > 1:
            own = [*(colours[key] for key in members), *NO_WINNER.values()]
            painted = paint_codes(stage.flatmap, inside, own)
            panels.append(Panel(stage, painted, f"Within {name}"))
        for key in members:
            notes[key] = " / ".join(filter(None, (notes.get(key), shares[key])))
            asks[key] = ", ".join(filter(None, (asks.get(key), name)))
    upper = Legend(palette, shares_of(codes, list(palette)), "share of voxels")
    lower = Legend({key: colours[key] for key in notes}, notes, "share", texts, asks)
    page, below = draw_maps(
        panels,
        lambda width: upper.height(width) + _GAP + lower.height(width),
        columns=2,
        title=stage.title,
    )
    upper.draw(page, below)
    lower.draw(page, below + upper.height(page.width) + _GAP)
    return Drawing(page.figure, voxel_table(concept, _columns(concept, winners, clear)))


def _within(
    winner: xr.DataArray, clear: xr.DataArray, members: Sequence[str]
) -> tuple[xr.DataArray, dict[str, str]]:
    """Return codes of a group's winners, `UNCLEAR` last, and each one's share."""
    codes_of(winner, members)
    codes = codes_of(clear_only(winner, clear), [*members, UNCLEAR])
    alone = dict.fromkeys(members, "alone")
    return codes, shares_of(codes, members) if len(members) > 1 else alone


def _columns(
    concept: xr.DataArray, winners: Mapping[str, xr.DataArray], clear: Mapping[str, xr.DataArray]
) -> dict[str, ArrayLike]:
    """Return the columns of the table."""
    columns: dict[str, ArrayLike] = {"concept": names_of(concept), "clear": clear[""].astype(int)}
    for name, keys in winners.items():
        columns |= {f"within_{name}": names_of(keys), f"clear_{name}": clear[name].astype(int)}
    return columns
