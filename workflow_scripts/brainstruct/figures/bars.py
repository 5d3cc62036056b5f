"""Bars of alignment per region and model, with every subject as a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.key_strip import draw_strip, strip_height
from brainstruct.figures.page import MM_PER_POINT, Page
from brainstruct.figures.style import DOUBLE_COLUMN, SINGLE_COLUMN, journal_style, model_colours
from brainstruct.figures.subject_bars import draw_bar, say_no_data, subject_keys, value_limits
from brainstruct.figures.tidy import (
    label_of,
    mean_and_sem,
    ordered,
    require_columns,
    require_unique,
)

_GROUP = 0.8  # width of a region's bars, in distances between regions
_NARROWEST = 2.6  # bar, mm
_PANEL, _LEFT, _RIGHT, _LABELS, _TOP = 42.0, 13.0, 3.0, 8.0, 3.0  # mm
_TITLE, _ABOVE = 6.0, 2.0  # mm


@journal_style()
def draw_roi_bars(
    table: pd.DataFrame,
    *,
    rois: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    roi_labels: Mapping[str, str] | None = None,
    model_labels: Mapping[str, str] | None = None,
    marks: pd.DataFrame | None = None,
    meanings: Mapping[str, str] | None = None,
    ylabel: str = "Normalised brain alignment",
    title: str = "",
) -> Drawing:
    """Draw mean alignment over subjects per region and model.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns subject, model, roi, value; one row per combination. A missing
        value or row is a region that the subject does not have.
    rois, models : sequence of str, optional
        What is shown, in order; by default everything.
    roi_labels, model_labels : mapping, optional
        Name -> label.
    marks : pandas.DataFrame, optional
        Columns roi, model, mark: text over a bar, such as ``*``.
    meanings : mapping, optional
        Mark -> what it says, for the legend.
    ylabel, title : str
        Label of the axis and title of the figure.

    Returns
    -------
    Drawing
        Table: subject, model, roi, value, and mean, sem and mark of the bar.
        Bars are means over subjects, whiskers the standard error of the mean
        over subjects (with two or more), points the subjects.

    Raises
    ------
    ValueError
        If columns are missing or a combination occurs twice.
    """
    require_columns(table, ("subject", "model", "roi", "value"))
    require_unique(table, ("subject", "model", "roi"))
    shown_rois, shown_models = ordered(table, "roi", rois), ordered(table, "model", models)
    table = table[table["roi"].isin(shown_rois) & table["model"].isin(shown_models)]
    subjects = [str(subject) for subject in table["subject"].unique()]
    signs = {} if marks is None else {(m.roi, m.model): str(m.mark) for m in marks.itertuples()}

    bars = len(shown_rois) * len(shown_models)
    narrow = bars * _NARROWEST / _GROUP <= SINGLE_COLUMN - _LEFT - _RIGHT and bars <= 12
    width = SINGLE_COLUMN if narrow else DOUBLE_COLUMN
    inner = width - _LEFT - _RIGHT
    per_row = max(int(inner * _GROUP / (_NARROWEST * max(len(shown_models), 1))), 1)
    n_rows = max(-(-len(shown_rois) // per_row), 1)
    per_row = -(-len(shown_rois) // n_rows) or 1
    rows = [shown_rois[first : first + per_row] for first in range(0, len(shown_rois), per_row)]

    colours = model_colours(shown_models)
    keys: list[list[Artist] | str] = [
        [Patch(color=colours[m], label=label_of(m, model_labels)) for m in shown_models],
        subject_keys(subjects),
        "     ".join(f"{mark}  {says}" for mark, says in (meanings or {}).items()),
    ]
    top = _TOP + (_TITLE if title else 0)
    head = top + strip_height(keys, inner) + _ABOVE
    page = Page(width, head + max(len(rows), 1) * (_PANEL + _LABELS))
    page.title(title)
    draw_strip(page, keys, _LEFT, top, inner)
    # Room for marks above the highest bar.
    limits = value_limits(
        float(table["value"].min()), float(table["value"].max()), 0.04 + 12 * MM_PER_POINT / _PANEL
    )
    for number, members in enumerate(rows or [[]]):
        axes = page.axes(_LEFT, head + number * (_PANEL + _LABELS), inner, _PANEL)
        axes.set(ylim=limits, ylabel=ylabel, xlim=(-0.5, per_row - 0.5))
        axes.grid(axis="y")
        axes.axhline(0, color="black", linewidth=0.6)
        axes.tick_params(axis="x", length=0)
        axes.spines["bottom"].set_visible(False)
        names = [label_of(roi, roi_labels) for roi in members]
        axes.set_xticks(range(len(members)), names)
        for place, roi in enumerate(members):
            _draw_group(axes, place, table[table["roi"] == roi], colours, subjects, signs, roi)
    return Drawing(page.figure, _source(table, shown_rois, shown_models, signs))


def _draw_group(
    axes: Axes,
    place: int,
    rows: pd.DataFrame,
    colours: Mapping[str, str],
    subjects: Sequence[str],
    signs: Mapping[tuple[str, str], str],
    roi: str,
) -> None:
    pitch = _GROUP / len(colours)
    if rows["value"].notna().sum() == 0:
        say_no_data(axes, place)
        return
    span = axes.get_ylim()[1] - axes.get_ylim()[0]
    for index, (model, colour) in enumerate(colours.items()):
        x = place + (index - (len(colours) - 1) / 2) * pitch
        values = rows.loc[rows["model"] == model].set_index("subject")["value"]
        top = draw_bar(axes, x, values, subjects, width=0.9 * pitch, colour=colour)
        if top is not None:
            axes.text(
                x,
                top + 0.03 * span,
                signs.get((roi, model), ""),
                ha="center",
                va="bottom",
                fontsize=6.5,
                zorder=5,
            )


def _source(
    table: pd.DataFrame,
    rois: Sequence[str],
    models: Sequence[str],
    signs: Mapping[tuple[str, str], str],
) -> pd.DataFrame:
    parts = []
    for roi in rois:
        for model in models:
            rows = table[(table["roi"] == roi) & (table["model"] == model)]
            mean, sem = mean_and_sem(rows["value"])
            mark = signs.get((roi, model), "")
            kept = rows[["subject", "model", "roi", "value"]]
            parts.append(kept.assign(mean=mean, sem=sem, mark=mark))
    if not parts:
        return table[["subject", "model", "roi", "value"]].assign(mean=np.nan, sem=np.nan, mark="")
    return pd.concat(parts, ignore_index=True)
