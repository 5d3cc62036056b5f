"""Matrices of alignment: instructions against regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from brainstruct.figures.colour_science import ink_on
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.page import Page, widest
from brainstruct.figures.style import (
    DOUBLE_COLUMN,
    MISSING,
    SEQUENTIAL,
    SINGLE_COLUMN,
    journal_style,
)
from brainstruct.figures.tidy import (
    label_of,
    mean_and_sem,
    ordered,
    require_columns,
    require_unique,
)

_CELL_HEIGHT = 5.0  # mm
_WIDEST_CELL = 11.0  # mm
_NARROWEST_LABELLED = 6.0  # a narrower cell cannot hold its value, mm
_RIM, _TOP, _CAPTION, _BAR = 3.0, 3.0, 5.0, 12.0  # mm


@journal_style()
def draw_instruction_rois(
    table: pd.DataFrame,
    *,
    models: Sequence[str] | None = None,
    instructions: Sequence[str] | None = None,
    rois: Sequence[str] | None = None,
    model_labels: Mapping[str, str] | None = None,
    roi_labels: Mapping[str, str] | None = None,
    marks: pd.DataFrame | None = None,
    label: str = "Normalised brain alignment",
    footnote: str = "",
    title: str = "",
) -> Drawing:
    """Draw mean alignment over subjects per instruction and region, one panel per model.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns subject, model, instruction, roi, value; one row per
        combination.
    models, instructions, rois : sequence of str, optional
        What is shown, in order; by default everything.
    model_labels, roi_labels : mapping, optional
        Name -> label.
    marks : pandas.DataFrame, optional
        Columns model, instruction, roi, mark: text beside a cell's value.
    label, footnote, title : str
        Label of the colour bar, a remark beside it, title of the figure.

    Returns
    -------
    Drawing
        Table: model, instruction, roi, mean, sem, subjects, mark. A panel has
        a row for every instruction that the model was given. The best of a
        region is framed, if there are several; cells without data are grey.

    Raises
    ------
    ValueError
        If columns are missing or a combination occurs twice.
    """
    keys = ["model", "instruction", "roi"]
    require_columns(table, ("subject", *keys, "value"))
    require_unique(table, ("subject", *keys))
    shown_models = ordered(table, "model", models)
    shown = ordered(table, "instruction", instructions)
    regions = ordered(table, "roi", rois)
    groups = dict(iter(table.groupby(keys)["value"]))
    signs = {} if marks is None else {(m.model, m.instruction, m.roi): m.mark for m in
                                      marks.itertuples()}  # fmt: skip
    rows, given = [], {}
    for model in shown_models:
        asked = set(table.loc[table["model"] == model, "instruction"])
        given[model] = [instruction for instruction in shown if instruction in asked]
        for instruction in given[model]:
            for roi in regions:
                cell_of = (model, instruction, roi)
                values = groups.get(cell_of, pd.Series(dtype=float))
                mean, sem = mean_and_sem(values)
                rows.append((*cell_of, mean, sem, values.notna().sum(), signs.get(cell_of, "")))
    summary = pd.DataFrame(rows, columns=[*keys, "mean", "sem", "subjects", "mark"])

    region_names = [label_of(roi, roi_labels) for roi in regions]
    left = _RIM + widest(shown, 6.5) + 3
    width, per_row, cell = _arrange(len(shown_models), len(regions), left)
    slanted = widest(region_names, 6.5) > cell - 1
    below = 2 + (widest(region_names, 6.5) * 0.75 + 3 if slanted else 4)
    lines = [shown_models[first : first + per_row] for first in
             range(0, len(shown_models), per_row)]  # fmt: skip
    blocks = [
        _CAPTION + max(len(given[model]) for model in line) * _CELL_HEIGHT + below for line in lines
    ]
    head = _TOP + (5 if title else 0)
    page = Page(width, head + sum(blocks) + _BAR)
    page.title(title)
    low, high = _limits(summary["mean"])
    scale = ScalarMappable(Normalize(low, high), matplotlib.colormaps[SEQUENTIAL])
    for number, model in enumerate(shown_models):
        row, column = divmod(number, per_row)
        axes = page.axes(
            left + column * (cell * len(regions) + left),
            head + sum(blocks[:row]) + _CAPTION,
            cell * max(len(regions), 1),
            max(len(given[model]), 1) * _CELL_HEIGHT,
        )
        one = summary[summary["model"] == model]
        shape = len(given[model]), len(regions)
        matrix, stars = (one[name].to_numpy().reshape(shape) for name in ("mean", "mark"))
        _draw_matrix(axes, matrix.astype(float), stars, scale, cell)
        axes.set_title(label_of(model, model_labels))
        axes.set_yticks(range(len(given[model])), given[model])
        if slanted:
            axes.set_xticks(
                range(len(regions)), region_names, rotation=45, ha="right", rotation_mode="anchor"
            )
        else:
            axes.set_xticks(range(len(regions)), region_names)
    bar_width = min(60.0, cell * max(len(regions), 1))
    strip = page.axes(left, page.height - _BAR + 1, bar_width, 2.5)
    page.figure.colorbar(
        scale, cax=strip, orientation="horizontal", label=label, ticks=MaxNLocator(5)
    )
    note = page.canvas(left + bar_width + 6, page.height - _BAR + 1, 10, 10)
    note.text(0, 1.2, footnote, fontsize=6.5, va="center", color="0.35")
    return Drawing(page.figure, summary)


def _draw_matrix(
    axes: Axes,
    matrix: NDArray[np.float64],
    marks: NDArray[np.object_],
    scale: ScalarMappable,
    cell: float,
) -> None:
    height, width = matrix.shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    painted = scale.to_rgba(np.nan_to_num(matrix))
    for (row, column), value in np.ndenumerate(matrix):
        colour = MISSING if np.isnan(value) else to_hex(painted[row, column].tolist())
        axes.add_patch(
            Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor="white")
        )
        mark = str(marks[row, column])
        if cell >= _NARROWEST_LABELLED or mark:
            number = "" if np.isnan(value) or cell < _NARROWEST_LABELLED else f"{value:.2f}"
            axes.text(
                column,
                row,
                number + mark,
                ha="center",
                va="center_baseline",
                fontsize=5.5,
                color=ink_on(colour),
            )
    for column in np.flatnonzero(np.isfinite(matrix).sum(axis=0) > 1):
        best = int(np.nanargmax(matrix[:, column]))
        axes.add_patch(
            Rectangle(
                (column - 0.5, best - 0.5),
                1,
                1,
                fill=False,
                edgecolor="black",
                linewidth=1.1,
                zorder=3,
                clip_on=False,
            )
        )


def _arrange(n_models: int, n_regions: int, left: float) -> tuple[float, int, float]:
    """Return the page's width, panels per row and the width of a cell, mm."""
    n_models, n_regions = max(n_models, 1), max(n_regions, 1)
    if n_models == 1:
        for width in (SINGLE_COLUMN, DOUBLE_COLUMN):
            cell = (width - left - _RIM) / n_regions
            if cell >= _NARROWEST_LABELLED + 1 or width == DOUBLE_COLUMN:
                return width, 1, min(cell, _WIDEST_CELL)
    for per_row in range(min(n_models, 4), 0, -1):
        cell = ((DOUBLE_COLUMN - _RIM) / per_row - left) / n_regions
        if cell >= _NARROWEST_LABELLED or per_row == 1:
            break
    return DOUBLE_COLUMN, per_row, min(cell, _WIDEST_CELL)


def _limits(means: pd.Series) -> tuple[float, float]:
    known = means.dropna()
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)
