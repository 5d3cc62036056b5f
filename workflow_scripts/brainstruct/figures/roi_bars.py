"""Bars of alignment per region and model, with every subject as a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from brainstruct.figures import subject_bars
from brainstruct.figures.column_names import ColumnNames
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.key_strip import draw_strip, strip_height
from brainstruct.figures.page import MM_PER_POINT, Page
from brainstruct.figures.style import DOUBLE_COLUMN, SINGLE_COLUMN, journal_style
from brainstruct.figures.tidy import require_tidy, shown, summarise

_GROUP = 0.8  # width of a region's bars, in distances between regions
_NARROWEST = 2.6  # bar, mm
_PANEL, _LEFT, _RIGHT, _BELOW, _TOP, _ABOVE = 42.0, 13.0, 3.0, 3.0, 3.0, 2.0  # mm
_HEAD = 0.04 + 12 * MM_PER_POINT / _PANEL  # room for marks above the highest bar


@journal_style()
def draw_roi_bars(
    table: pd.DataFrame,
    *,
    colours: Mapping[str, str],
    rois: Mapping[str, str] | None = None,
    models: Mapping[str, str] | None = None,
    marks: pd.DataFrame | None = None,
    meanings: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw mean alignment over subjects per region and model.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns subject, model, roi, value; one row per combination. A missing value or row is a
        region that the subject does not have.
    colours : mapping
        Model -> colour, of the study: see `brainstruct.figures.style.model_colours`.
    rois, models : mapping, optional
        What is shown, in order -> label; by default everything, without labels.
    marks : pandas.DataFrame, optional
        Columns roi, model, mark: text over a bar, such as ``*``.
    meanings : mapping, optional
        Mark -> what it says, for the legend.

    Returns
    -------
    Drawing
        Table: subject, model, roi, value, and mean, sem and mark of the bar. Bars are means
        over subjects, whiskers the standard error of the mean over subjects (with two or more),
        points the subjects.

    Raises
    ------
    ValueError
        If columns are missing or a combination occurs twice.
    """
    require_tidy(table, ("subject", "model", "roi"), ("value",))
    rois, models = shown(table, "roi", rois), shown(table, "model", models)
    table = table[table["roi"].isin(list(rois)) & table["model"].isin(list(models))]
    signs = {} if marks is None else {(m.roi, m.model): str(m.mark) for m in marks.itertuples()}
    bars = list(product(rois, models))
    summary = summarise(table, ["roi", "model"], bars)
    summary["mark"] = [signs.get(bar, "") for bar in bars]
    figure = _draw(table, colours, rois, models, signs, meanings)
    number = {bar: place for place, bar in enumerate(bars)}
    of_rows = np.array([number[bar] for bar in zip(table["roi"], table["model"], strict=True)], int)
    source = table[["subject", "model", "roi", "value"]].assign(
        **{name: summary[name].to_numpy()[of_rows] for name in ("mean", "sem", "mark")}
    )
    return Drawing(figure, source.iloc[of_rows.argsort(kind="stable")])


def _draw(
    table: pd.DataFrame,
    palette: Mapping[str, str],
    rois: Mapping[str, str],
    models: Mapping[str, str],
    signs: Mapping[tuple[str, str], str],
    meanings: Mapping[str, str] | None,
) -> Figure:
    """Lay the page out and draw all bars."""
    subjects = [str(subject) for subject in table["subject"].unique()]
    colours = {model: palette[model] for model in models}
    keys: list[Sequence[Artist] | str] = [
        [Patch(color=colour, label=models[model]) for model, colour in colours.items()],
        subject_bars.subject_keys(subjects),
        "     ".join(f"{mark}  {says}" for mark, says in (meanings or {}).items()),
    ]
    width, n_rows, per_row = _arrange(len(rois), len(models))
    inner = width - _LEFT - _RIGHT
    head = _TOP + strip_height(keys, inner) + _ABOVE
    names = ColumnNames(list(rois.values()), inner / per_row)
    pitch = _PANEL + names.height + _BELOW
    page = Page(width, head + n_rows * pitch)
    draw_strip(page, keys, _LEFT, _TOP, inner)
    limits = subject_bars.value_limits(table["value"], _HEAD)
    for number in range(n_rows):
        axes = page.axes(_LEFT, head + number * pitch, inner, _PANEL)
        axes.set(ylim=limits, ylabel="Normalised brain alignment", xlim=(-0.5, per_row - 0.5))
        members = list(rois)[number * per_row : (number + 1) * per_row]
        subject_bars.prepare_axes(axes)
        ColumnNames([rois[roi] for roi in members], inner / per_row).write(axes)
        for place, roi in enumerate(members):
            own = {model: signs.get((roi, model), "") for model in models}
            _draw_group(axes, place, table[table["roi"] == roi], colours, subjects, own)
    return page.figure


def _arrange(n_rois: int, n_models: int) -> tuple[float, int, int]:
    """Return the page's width in mm, rows of panels, and regions in each."""
    bars = n_rois * n_models
    narrow = bars * _NARROWEST / _GROUP <= SINGLE_COLUMN - _LEFT - _RIGHT and bars <= 12
    width = SINGLE_COLUMN if narrow else DOUBLE_COLUMN
    room = (width - _LEFT - _RIGHT) * _GROUP
    per_row = max(int(room / (_NARROWEST * max(n_models, 1))), 1)
    n_rows = max(ceil(n_rois / per_row), 1)
    return width, n_rows, max(ceil(n_rois / n_rows), 1)


def _draw_group(
    axes: Axes,
    place: int,
    rows: pd.DataFrame,
    colours: Mapping[str, str],
    subjects: Sequence[str],
    signs: Mapping[str, str],
) -> None:
    """Draw the bars of one region."""
    if rows["value"].notna().sum() == 0:
        subject_bars.say_no_data(axes, place)
        return
    pitch = _GROUP / len(colours)
    low, high = axes.get_ylim()
    for index, (model, colour) in enumerate(colours.items()):
        x = place + (index - (len(colours) - 1) / 2) * pitch
        values = rows.loc[rows["model"] == model].set_index("subject")["value"]
        top = subject_bars.draw_bar(axes, x, values, subjects, width=0.9 * pitch, colour=colour)
        if top is not None:
            text = axes.text(x, top + 0.03 * (high - low), signs[model], ha="center", va="bottom")
            text.set(fontsize=6.5, zorder=5)
