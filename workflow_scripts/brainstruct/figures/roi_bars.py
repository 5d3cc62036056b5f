"""Bars of alignment per region and model, with every subject as a point."""

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
    intervals: pd.DataFrame,
    *,
    colours: Mapping[str, str],
    rois: Mapping[str, str] | None = None,
    models: Mapping[str, str] | None = None,
    marks: pd.DataFrame | None = None,
    meanings: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw mean alignment over subjects per region and model.

    Bars are means over subjects, whiskers their intervals; points the subjects, thin lines theirs.

    `table` has the columns subject, model, roi, value, and low and high, the value's interval; one
    row per combination. A missing value or row is a region that the subject does not have.
    `intervals` has roi, model, low, high: the interval of the mean over subjects; `marks` roi,
    model, mark: text over a bar, such as ``*``, of which `meanings` says for the legend what it
    says. `rois` and `models` are shown in order, with their labels; by default everything, without
    labels. `colours` are the study's, see `brainstruct.figures.style.model_colours`. The table:
    subject, model, roi, value, low and high, and mean, sem, interval and mark of the bar. A
    `ValueError` if columns are missing or a combination occurs twice.
    """
    require_tidy(table, ("subject", "model", "roi"), ("value", "low", "high"))
    require_tidy(intervals, ("model", "roi"), ("low", "high"))
    rois, models = shown(table, "roi", rois), shown(table, "model", models)
    table = table[table["roi"].isin(list(rois)) & table["model"].isin(list(models))]
    signs = {} if marks is None else {(m.roi, m.model): str(m.mark) for m in marks.itertuples()}
    bars = list(product(rois, models))
    summary = summarise(table, ["roi", "model"], bars)
    summary["mark"] = [signs.get(bar, "") for bar in bars]
    wanted = pd.MultiIndex.from_tuples(bars, names=["roi", "model"])
    known = intervals.set_index(["roi", "model"])[["low", "high"]].reindex(wanted)
    summary[["mean_low", "mean_high"]] = known.to_numpy(float)
    figure = _draw(table, summary, colours, rois, models, meanings)
    number = {bar: place for place, bar in enumerate(bars)}
    of_rows = np.array([number[bar] for bar in zip(table["roi"], table["model"], strict=True)], int)
    of_bars = ("mean", "sem", "mean_low", "mean_high", "mark")
    source = table[["subject", "model", "roi", "value", "low", "high"]].assign(
        **{name: summary[name].to_numpy()[of_rows] for name in of_bars}
    )
    return Drawing(figure, source.iloc[of_rows.argsort(kind="stable")])


def _draw(
    table: pd.DataFrame,
    summary: pd.DataFrame,
    palette: Mapping[str, str],
    rois: Mapping[str, str],
    models: Mapping[str, str],
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
    drawn = table[["value", "low", "high"]].fillna(0)
    limits = subject_bars.value_limits(drawn, _HEAD)
    for number in range(n_rows):
        axes = page.axes(_LEFT, head + number * pitch, inner, _PANEL)
        axes.set(ylim=limits, ylabel="Normalised brain alignment", xlim=(-0.5, per_row - 0.5))
        members = list(rois)[number * per_row : (number + 1) * per_row]
        subject_bars.prepare_axes(axes)
        ColumnNames([rois[roi] for roi in members], inner / per_row).write(axes)
        for place, roi in enumerate(members):
            own = summary[summary["roi"] == roi].set_index("model")
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
    bars: pd.DataFrame,
) -> None:
    """Draw the bars of one region; `bars` are summaries by model."""
    if rows["value"].notna().sum() == 0:
        subject_bars.say_no_data(axes, place)
        return
    pitch = _GROUP / len(colours)
    low, high = axes.get_ylim()
    for index, (model, colour) in enumerate(colours.items()):
        x = place + (index - (len(colours) - 1) / 2) * pitch
        own, bar = rows[rows["model"] == model].set_index("subject"), bars.loc[model]
        top = subject_bars.draw_bar(
            axes, x, own["value"], subjects, width=0.9 * pitch, colour=colour,
            interval=(bar["mean_low"], bar["mean_high"]), intervals=own,
        )  # fmt: skip
        if top is not None:
            text = axes.text(x, top + 0.03 * (high - low), bar["mark"], ha="center", va="bottom")
            text.set(fontsize=6.5, zorder=5)
