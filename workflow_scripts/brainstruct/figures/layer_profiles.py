"""Alignment layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.key_strip import draw_strip, strip_height
from brainstruct.figures.page import Page
from brainstruct.figures.style import (
    DOUBLE_COLUMN,
    SINGLE_COLUMN,
    instruction_colours,
    journal_style,
    model_colours,
)
from brainstruct.figures.tidy import (
    label_of,
    mean_and_sem,
    ordered,
    require_columns,
    require_unique,
)

_LEFT, _RIGHT, _GAP, _PANEL, _BELOW, _TOP = 12.0, 3.0, 5.0, 32.0, 10.0, 3.0  # mm
_TITLE, _ABOVE = 6.0, 6.0  # mm
_MOST_COLUMNS = 4


@journal_style()
def draw_layer_profiles(
    table: pd.DataFrame,
    *,
    panels: str = "roi",
    lines: str = "model",
    panel_order: Sequence[str] | None = None,
    line_order: Sequence[str] | None = None,
    panel_labels: Mapping[str, str] | None = None,
    line_labels: Mapping[str, str] | None = None,
    n_layers: Mapping[str, int] | None = None,
    ylabel: str = "Normalised brain alignment",
    title: str = "",
) -> Drawing:
    """Draw one panel per region with one line per model, or other columns instead.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns subject, layer, value and those named by `panels` and `lines`;
        one row per combination. An optional column sem is the standard error
        within a subject (over voxels).
    panels, lines : str
        Columns that make panels and lines.
    panel_order, line_order : sequence of str, optional
        What is shown, in order; by default everything.
    panel_labels, line_labels : mapping, optional
        Name -> label.
    n_layers : mapping, optional
        Line -> hidden states of its model, whichever of them the table has. If
        these numbers differ, layers are divided by each model's last one.
    ylabel, title : str
        Label of the axis and title of the figure.

    Returns
    -------
    Drawing
        Table: panel and line columns, layer, depth (layer / last layer of the
        model; NaN without `n_layers`), mean, sem, subjects. Lines are means
        over subjects; bands are the standard error over subjects, or with one
        subject the column sem, where there is one.

    Raises
    ------
    ValueError
        If columns are missing or a combination occurs twice.
    """
    require_columns(table, ("subject", "layer", "value", panels, lines))
    require_unique(table, ("subject", "layer", panels, lines))
    shown = ordered(table, panels, panel_order)
    series = ordered(table, lines, line_order)
    colours = (instruction_colours if lines == "instruction" else model_colours)(series)
    last_layers = {name: n_layers[name] - 1 for name in series} if n_layers else {}
    relative = len(set(last_layers.values())) > 1
    summary = _summarise(table, panels, lines, shown, series, last_layers)

    n_rows = max(-(-len(shown) // _MOST_COLUMNS), 1)
    n_columns = max(-(-len(shown) // n_rows), 1)
    width = SINGLE_COLUMN if n_columns <= 2 else DOUBLE_COLUMN
    inner = (width - _LEFT - _RIGHT - _GAP * (n_columns - 1)) / n_columns
    keys = [[Line2D([], [], color=c, label=label_of(s, line_labels)) for s, c in colours.items()]]
    top = _TOP + (_TITLE if title else 0)
    head = top + strip_height(keys, width - _LEFT - _RIGHT) + _ABOVE
    page = Page(width, head + n_rows * (_PANEL + _BELOW) + (n_rows - 1) * _GAP)
    page.title(title)
    draw_strip(page, keys, _LEFT, top, width - _LEFT - _RIGHT)
    limits = _limits(summary)
    depth = "depth" if relative else "layer"
    last = 1.0 if relative or not len(summary) else float(summary["layer"].max())
    for number, panel in enumerate(shown or [""]):
        row, column = divmod(number, n_columns)
        axes = page.axes(
            _LEFT + column * (inner + _GAP), head + row * (_PANEL + _BELOW + _GAP), inner, _PANEL
        )
        axes.set(
            title=label_of(panel, panel_labels),
            ylim=limits,
            xlim=(-0.02 * (last or 1), 1.02 * (last or 1)),
        )
        axes.grid(axis="y")
        axes.set_xlabel("Relative depth" if relative else "Layer")
        if relative:
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        else:
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if column == 0:
            axes.set_ylabel(ylabel)
        else:
            axes.tick_params(labelleft=False)
        _draw_panel(axes, summary[summary[panels] == panel], lines, colours, depth)
    return Drawing(page.figure, summary)


def _draw_panel(
    axes: Axes, rows: pd.DataFrame, lines: str, colours: Mapping[str, str], depth: str
) -> None:
    if rows["mean"].notna().sum() == 0:
        axes.text(
            0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", color="0.4"
        )
        return
    for name, colour in colours.items():
        line = rows[rows[lines] == name]
        x, mean, sem = (line[column].to_numpy(float) for column in (depth, "mean", "sem"))
        axes.fill_between(x, mean - sem, mean + sem, color=colour, alpha=0.2, linewidth=0)
        axes.plot(x, mean, color=colour, marker="o" if len(x) == 1 else "")


def _summarise(
    table: pd.DataFrame,
    panels: str,
    lines: str,
    shown: Sequence[str],
    series: Sequence[str],
    last_layers: Mapping[str, int],
) -> pd.DataFrame:
    rows = []
    groups = dict(iter(table.groupby([panels, lines, "layer"])))
    for panel in shown:
        for name in series:
            for layer in sorted(table.loc[table[lines] == name, "layer"].unique()):
                group = groups.get((panel, name, layer))
                values = pd.Series(dtype=float) if group is None else group["value"]
                mean, sem = mean_and_sem(values)
                if group is not None and np.isnan(sem) and "sem" in table and len(group) == 1:
                    sem = float(group["sem"].iloc[0])
                rows.append(
                    {
                        panels: panel,
                        lines: name,
                        "layer": int(layer),
                        # A model of one hidden state has no depth to speak of.
                        "depth": layer / (last_layers[name] or 1) if last_layers else np.nan,
                        "mean": mean,
                        "sem": sem,
                        "subjects": int(values.notna().sum()),
                    }
                )
    columns = [panels, lines, "layer", "depth", "mean", "sem", "subjects"]
    return pd.DataFrame(rows, columns=columns)


def _limits(summary: pd.DataFrame) -> tuple[float, float]:
    low = (summary["mean"] - summary["sem"].fillna(0)).min()
    high = (summary["mean"] + summary["sem"].fillna(0)).max()
    if np.isnan(low):
        return 0.0, 1.0
    rim = 0.06 * ((high - low) or 1.0)
    return float(low - rim), float(high + rim)
