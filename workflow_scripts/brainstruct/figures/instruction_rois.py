"""Matrices of alignment: instructions against regions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from brainstruct.figures.cells import draw_cells
from brainstruct.figures.column_names import ColumnNames
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.key_strip import draw_strip, strip_height
from brainstruct.figures.marks import BEST, LEVEL
from brainstruct.figures.page import BOLD, Page, overhang, widest, wrapped
from brainstruct.figures.scales import Scale, finite
from brainstruct.figures.style import DOUBLE_COLUMN, SINGLE_COLUMN, journal_style
from brainstruct.figures.tidy import require_tidy, shown, summarise

_CELL_HEIGHT = 5.0  # mm
_WIDEST_CELL = 11.0  # mm
_NARROWEST_LABELLED = 6.0  # a narrower cell cannot hold its value, mm
_RIM, _TOP, _CAPTION, _BAR = 3.0, 3.0, 5.0, 12.0  # mm
_LEAST = 14.0  # beside the first column, whose name may be slanted, mm
_FRAME: dict[str, Any] = {"fill": False, "edgecolor": "black", "linewidth": 1.1}


@journal_style()
def draw_instruction_rois(
    table: pd.DataFrame,
    *,
    models: Mapping[str, str] | None = None,
    instructions: Sequence[str] | None = None,
    rois: Mapping[str, str] | None = None,
    marks: pd.DataFrame | None = None,
    footnote: str = "",
) -> Drawing:
    """Draw mean alignment over subjects per instruction and region, one panel per model.

    A panel has a row for every instruction that the model was given. The best of a region is
    framed, if there are several; cells without data are grey. What is not said here is as in
    `brainstruct.figures.roi_bars.draw_roi_bars`.

    `table` has the columns subject, model, instruction, roi, value; `marks` model, instruction,
    roi, mark: text beside a cell's value. The footnote stands below the keys. The table: model,
    instruction, roi, mean, sem, subjects, mark.
    """
    keys = ["model", "instruction", "roi"]
    require_tidy(table, ("subject", *keys), ("value",))
    models, rois = shown(table, "model", models), shown(table, "roi", rois)
    asked = list(shown(table, "instruction", None) if instructions is None else instructions)
    given = {}
    for model in models:
        own = set(table.loc[table["model"] == model, "instruction"])
        given[model] = [instruction for instruction in asked if instruction in own]
    cells = [(m, i, roi) for m in models for i in given[m] for roi in rois]
    summary = summarise(table, keys, cells)
    signs = {}
    if marks is not None:
        signs = {(m.model, m.instruction, m.roi): str(m.mark) for m in marks.itertuples()}
    summary["mark"] = [signs.get(cell, "") for cell in cells]
    left = max(_RIM + widest(asked, 6.5) + 3, _LEAST)
    page = _draw(summary, given, models, list(rois.values()), left, footnote)
    return Drawing(page.figure, summary)


def _draw(
    summary: pd.DataFrame,
    given: Mapping[str, Sequence[str]],
    labels: Mapping[str, str],
    regions: Sequence[str],
    left: float,
    footnote: str,
) -> Page:
    """Draw a panel per model, the names of instructions in the room to its left."""
    width, per_row, cell = _arrange(len(given), len(regions), left)
    names = ColumnNames(regions, cell)
    keys: list[Sequence[Artist] | str] = [
        [Patch(**_FRAME, label="best of the region")] if len(summary) else [],
        f"{BEST}  ahead of every other instruction (q ≤ {LEVEL:g})"
        if summary["mark"].any()
        else "",
        footnote,
    ]
    room = width - left - _RIM
    head = _TOP + strip_height(keys, room)
    pitch = cell * len(regions) + left
    titles = {model: wrapped(labels[model], pitch - 2, 7.5 * BOLD) for model in given}
    caption = _CAPTION + max((overhang(title, 7.5) for title in titles.values()), default=0.0)
    heights = [len(rows) * _CELL_HEIGHT for rows in given.values()]
    blocks = [
        caption + max(heights[first : first + per_row]) + names.height + _RIM
        for first in range(0, len(heights), per_row)
    ]
    page = Page(width, head + sum(blocks) + _BAR)
    draw_strip(page, keys, left, _TOP, room)
    scale = Scale("Normalised brain alignment", *_limits(summary["mean"]))
    inner = cell * max(len(regions), 1)
    for number, (model, rows) in enumerate(given.items()):
        row, column = divmod(number, per_row)
        axes = page.axes(
            left + column * pitch,
            head + sum(blocks[:row]) + caption,
            inner,
            max(len(rows), 1) * _CELL_HEIGHT,
        )
        one = summary[summary["model"] == model]
        _draw_panel(axes, one, (len(rows), len(regions)), scale, cell)
        axes.set_title(titles[model])
        axes.set_yticks(range(len(rows)), rows)
        names.write(axes)
    scale.draw_bar(page, left, page.height - _BAR + 1, min(60.0, room))
    return page


def _draw_panel(
    axes: Axes, cells: pd.DataFrame, shape: tuple[int, int], scale: Scale, width: float
) -> None:
    """Draw the matrix of one model, and frame the best of each region; `width` of a cell in mm."""
    numbered = width >= _NARROWEST_LABELLED
    texts = (
        f"{mean:z.2f}{mark}" if numbered and not np.isnan(mean) else mark
        for mean, mark in zip(cells["mean"], cells["mark"], strict=True)
    )
    means = cells["mean"].to_numpy(float).reshape(shape)
    matrix = [
        (row, column, value, text)
        for ((row, column), value), text in zip(np.ndenumerate(means), texts, strict=True)
    ]
    draw_cells(axes, shape, matrix, scale, 5.5)
    for column in np.flatnonzero(np.isfinite(means).sum(axis=0) > 1):
        corner = column - 0.5, int(np.nanargmax(means[:, column])) - 0.5
        axes.add_patch(Rectangle(corner, 1, 1, zorder=3, clip_on=False, **_FRAME))


def _arrange(n_models: int, n_regions: int, left: float) -> tuple[float, int, float]:
    """Return the page's width, panels per row and the width of a cell, mm."""
    n_regions = max(n_regions, 1)
    if n_models <= 1:
        for width in (SINGLE_COLUMN, DOUBLE_COLUMN):
            cell = (width - left - _RIM) / n_regions
            if cell >= _NARROWEST_LABELLED + 1:
                break
        return width, 1, min(cell, _WIDEST_CELL)
    for per_row in range(min(n_models, 4), 0, -1):
        cell = ((DOUBLE_COLUMN - _RIM) / per_row - left) / n_regions
        if cell >= _NARROWEST_LABELLED:
            break
    return DOUBLE_COLUMN, per_row, min(cell, _WIDEST_CELL)


def _limits(means: pd.Series) -> tuple[float, float]:
    known = finite([means])
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)
