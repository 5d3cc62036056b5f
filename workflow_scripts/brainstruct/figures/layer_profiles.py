"""Alignment layer by layer."""

from collections.abc import Mapping
from math import ceil

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.key_strip import draw_strip, strip_height
from brainstruct.figures.page import BOLD, Page, overhang, wrapped
from brainstruct.figures.scales import limits
from brainstruct.figures.style import DOUBLE_COLUMN, SINGLE_COLUMN, journal_style
from brainstruct.figures.tidy import require_tidy, shown, summarise

_LEFT, _RIGHT, _GAP, _PANEL, _BELOW, _TOP, _ABOVE = 12.0, 3.0, 5.0, 32.0, 10.0, 3.0, 6.0  # mm
_MOST_COLUMNS = 4


@journal_style()
def draw_layer_profiles(
    table: pd.DataFrame,
    intervals: pd.DataFrame,
    *,
    colours: Mapping[str, str],
    n_layers: Mapping[str, int],
    rois: Mapping[str, str] | None = None,
    models: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw one panel per region with one line per model.

    Lines are means over subjects, bands their intervals. What is not said here is as in
    `brainstruct.figures.roi_bars.draw_roi_bars`.

    `table` has the columns subject, model, roi, layer, value, `intervals` model, roi, layer, low,
    high; `n_layers` are a model's hidden states, whichever of them the table has. If these numbers
    differ, layers are divided by each model's last one. The table: roi, model, layer, depth (layer
    / last layer of the model), mean, sem, subjects, low, high.
    """
    require_tidy(table, ("subject", "layer", "roi", "model"), ("value",))
    rois, models = shown(table, "roi", rois), shown(table, "model", models)
    layers = {
        model: sorted(table.loc[table["model"] == model, "layer"].unique()) for model in models
    }
    points = [(roi, model, layer) for roi in rois for model in models for layer in layers[model]]
    summary = summarise(table, ["roi", "model", "layer"], points)
    keys = ["roi", "model", "layer"]
    summary = summary.merge(intervals[[*keys, "low", "high"]], "left", keys, validate="1:1")
    # A model of one hidden state has no depth to speak of.
    summary.insert(3, "depth", [layer / (n_layers[m] - 1 or 1) for _, m, layer in points])
    relative = len({n_layers[model] for model in models}) > 1
    return Drawing(_draw(summary, colours, rois or {"": ""}, models, relative).figure, summary)


def _draw(
    summary: pd.DataFrame,
    palette: Mapping[str, str],
    panels: Mapping[str, str],
    models: Mapping[str, str],
    relative: bool,
) -> Page:
    """Draw a panel per region, given regions and models with their labels."""
    n_rows = ceil(len(panels) / _MOST_COLUMNS)
    n_columns = ceil(len(panels) / n_rows)
    width = SINGLE_COLUMN if n_columns <= 2 else DOUBLE_COLUMN
    inner = (width - _LEFT - _RIGHT - _GAP * (n_columns - 1)) / n_columns
    colours = {model: palette[model] for model in models}
    keys = [[Line2D([], [], color=colours[model], label=models[model]) for model in models]]
    room = width - _LEFT - _RIGHT
    titles = {roi: wrapped(label, inner, 7.5 * BOLD) for roi, label in panels.items()}
    more = max(overhang(title, 7.5) for title in titles.values())
    head = _TOP + strip_height(keys, room) + _ABOVE + more
    pitch = inner + _GAP, _PANEL + _BELOW + _GAP + more
    page = Page(width, head + n_rows * pitch[1] - _GAP - more)
    draw_strip(page, keys, _LEFT, _TOP, room)
    last = 1.0 if relative or not len(summary) else float(summary["layer"].max()) or 1.0
    ends = limits([summary[name] for name in ("mean", "low", "high")], 0.06)
    places = page.grid(len(panels), n_columns, (_LEFT, head), (inner, _PANEL), pitch)
    for number, (axes, roi) in enumerate(zip(places, panels, strict=True)):
        axes.set(title=titles[roi], ylim=ends, xlim=(-0.02 * last, 1.02 * last))
        axes.grid(axis="y")
        axes.set_xlabel("Relative depth" if relative else "Layer")
        if relative:
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        else:
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if number % n_columns == 0:
            axes.set_ylabel("Normalised brain alignment")
        else:
            axes.tick_params(labelleft=False)
        _draw_panel(axes, summary[summary["roi"] == roi], colours, "depth" if relative else "layer")
    return page


def _draw_panel(axes: Axes, rows: pd.DataFrame, colours: Mapping[str, str], depth: str) -> None:
    """Draw the lines of one region."""
    if rows["mean"].notna().sum() == 0:
        text = axes.text(0.5, 0.5, "no data", transform=axes.transAxes, color="0.4")
        text.set(ha="center", va="center")
        return
    for model, colour in colours.items():
        line = rows[rows["model"] == model]
        x, mean, *band = (line[name].to_numpy(float) for name in (depth, "mean", "low", "high"))
        axes.fill_between(x, *band, color=colour, alpha=0.2, linewidth=0)
        if len(x) == 1:
            axes.vlines(x, *band, color=colour)
        axes.plot(x, mean, color=colour, marker="o" if len(x) == 1 else "")
