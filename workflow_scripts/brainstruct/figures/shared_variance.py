"""What pairs of instructions explain together and apart: matrices and bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from brainstruct.figures.colour_science import ink_on
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.key_strip import draw_strip, strip_height
from brainstruct.figures.page import Page, widest
from brainstruct.figures.scales import Scale
from brainstruct.figures.style import DOUBLE_COLUMN, MISSING, instruction_colours, journal_style
from brainstruct.figures.subject_bars import draw_bar, say_no_data, subject_keys, value_limits
from brainstruct.figures.tidy import (
    label_of,
    mean_and_sem,
    ordered,
    require_columns,
    require_unique,
)

LABEL = "Share of the explainable variance"

_SHARED = "#8c8c8c"
_RIM, _GAP, _LEFT, _TITLE, _CAPTION = 3.0, 6.0, 13.0, 6.0, 5.0  # mm
_CELL, _LABELLED = 5.5, 5.0  # widest cell, narrowest with its number, mm
_MATRICES = 4  # in a row
_FEWEST = 5  # pairs that a panel has room for, so that bars are not too wide
_BAR, _PANEL, _BELOW, _COLUMNS = 15.0, 26.0, 7.0, 2  # mm, mm, mm, panels in a row
_PARTS = ("unique_reference", "shared", "unique_other")
_SIZE = 6.5  # points


@journal_style()
def draw_shared_variance(
    table: pd.DataFrame,
    *,
    reference: str,
    instructions: Sequence[str],
    regions: Sequence[str] | None = None,
    region_labels: Mapping[str, str] | None = None,
    title: str = "",
) -> Drawing:
    """Draw one matrix of shared variance per subject, and bars per region.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns subject, roi, a, b, r2_a, r2_b, shared, unique_a and unique_b,
        all as shares of the explainable variance; one row per combination of
        the first four.
    reference : str
        Bars show the pairs of this instruction with each other one.
    instructions : sequence of str
        All keys, in order.
    regions : sequence of str, optional
        Regions in order; matrices are those of the first. By default all.
    region_labels : mapping, optional
        Region -> label.
    title : str
        Title of the figure.

    Returns
    -------
    Drawing
        Table: subject, roi, a, b and the five shares of every pair; for pairs
        of the reference, the other instruction and the mean and sem over
        subjects of each part.

    Raises
    ------
    ValueError
        If columns are missing or a combination occurs twice.
    """
    values = ("r2_a", "r2_b", "shared", "unique_a", "unique_b")
    require_columns(table, ("subject", "roi", "a", "b", *values))
    require_unique(table, ("subject", "roi", "a", "b"))
    shown = ordered(table, "roi", regions)
    table = table[table["roi"].isin(shown)]
    subjects = [str(subject) for subject in table["subject"].unique()]
    keys = [key for key in instructions if key in {*table["a"], *table["b"]}]
    others = [key for key in keys if key != reference]
    whole = table[table["roi"] == shown[0]] if shown else table
    matrices = {subject: _matrix(whole[whole["subject"] == subject], keys) for subject in subjects}
    pairs = _reference_pairs(table, reference)

    left = _RIM + widest(keys, _SIZE) + 3
    per_row = max(min(len(subjects), _MATRICES), 1)
    cell = min(((DOUBLE_COLUMN - _RIM) / per_row - left) / max(len(keys), 1), _CELL)
    side = cell * max(len(keys), 1)
    pitch = max(side + left, widest(subjects, 9) + _GAP)
    turned = widest(keys, _SIZE) > cell
    below = 3 + (widest(keys, _SIZE) if turned else 3)
    block = _CAPTION + side + below
    colours = instruction_colours([reference, *others])
    legend = _legend(colours, reference, subjects)
    head = _RIM + (_TITLE if title else 0)
    rows = -(-max(len(subjects), 1) // per_row)
    strip_top = head + rows * block + _BAR
    panels_top = strip_top + strip_height(legend, DOUBLE_COLUMN - _LEFT - _RIM) + 3
    panel_rows = -(-max(len(shown), 1) // _COLUMNS)
    page = Page(DOUBLE_COLUMN, panels_top + panel_rows * (_CAPTION + _PANEL + _BELOW))
    page.title(title)

    where = f"{LABEL}, {label_of(shown[0], region_labels).lower()}" if shown else LABEL
    scale = Scale.of(np.concatenate([*(m.ravel() for m in matrices.values()), [0.0]]), where, 0.0)
    for number, (subject, matrix) in enumerate(matrices.items()):
        row, column = divmod(number, per_row)
        axes = page.axes(left + column * pitch, head + row * block + _CAPTION, side, side)
        axes.set_title(subject)
        _draw_matrix(axes, matrix, scale, cell >= _LABELLED)
        axes.set_xticks(range(len(keys)), keys, rotation=90 if turned else 0)
        axes.set_yticks(range(len(keys)), keys)
    scale.draw_bar(page, left, strip_top - _BAR + 1, 50)

    draw_strip(page, legend, _LEFT, strip_top, DOUBLE_COLUMN - _LEFT - _RIM)
    low, high = (pairs[list(_PARTS)].agg(end).agg(end) for end in ("min", "max"))
    limits = value_limits(float(low), float(high), 0.06)
    width = (DOUBLE_COLUMN - _LEFT * 2 - _RIM) / _COLUMNS
    for number, roi in enumerate(shown):
        row, column = divmod(number, _COLUMNS)
        top = panels_top + row * (_CAPTION + _PANEL + _BELOW) + _CAPTION
        axes = page.axes(_LEFT + column * (width + _LEFT), top, width, _PANEL)
        axes.set(
            title=label_of(roi, region_labels),
            ylim=limits,
            xlim=(-0.6, max(len(others), _FEWEST) - 0.4),
        )
        if not column:
            axes.set_ylabel("Share of variance")
        _draw_bars(axes, pairs[pairs["roi"] == roi], others, colours, subjects)
    return Drawing(page.figure, _source(table, pairs, values, reference))


def _matrix(pairs: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.float64]:
    """Lower triangle: what a pair shares; diagonal: what one explains alone."""
    place = {key: number for number, key in enumerate(keys)}
    matrix = np.full((len(keys), len(keys)), np.nan)
    alone: dict[str, list[float]] = {}
    for pair in pairs.itertuples():
        column, row = sorted((place[pair.a], place[pair.b]))
        matrix[row, column] = pair.shared
        alone.setdefault(pair.a, []).append(pair.r2_a)
        alone.setdefault(pair.b, []).append(pair.r2_b)
    for key, scores in alone.items():
        matrix[place[key], place[key]] = np.mean(scores)
    return matrix


def _draw_matrix(axes: Axes, matrix: NDArray[np.float64], scale: Scale, numbers: bool) -> None:
    size = len(matrix)
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    painted = scale.mappable.to_rgba(np.nan_to_num(matrix))
    for row, column in np.argwhere(np.tri(size, dtype=bool)).tolist():
        value = matrix[row, column]
        colour = MISSING if np.isnan(value) else to_hex(painted[row, column].tolist())
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white"))
        if numbers and not np.isnan(value):
            ink = ink_on(colour)
            axes.text(column, row, _short(value), ha="center",
                      va="center_baseline", fontsize=5, color=ink)  # fmt: skip


def _short(value: float) -> str:
    """Two decimals, without a leading zero: there is little room."""
    return f"{value:.2f}".replace("-0.", "-.") if value < 0 else f"{value:.2f}".removeprefix("0")


def _reference_pairs(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Pairs of the reference, whichever of the two it is."""
    first = table[table["a"] == reference]
    second = table[table["b"] == reference]
    rename = {"unique_a": "unique_reference", "unique_b": "unique_other", "b": "other"}
    swap = {"unique_b": "unique_reference", "unique_a": "unique_other", "a": "other"}
    columns = ["subject", "roi", "other", *_PARTS]
    return pd.concat([first.rename(columns=rename)[columns], second.rename(columns=swap)[columns]])


def _legend(
    colours: Mapping[str, str], reference: str, subjects: Sequence[str]
) -> list[list[Artist]]:
    parts: list[Artist] = [
        Patch(color=colours[reference], label=f"unique to {reference}"),
        Patch(color=_SHARED, label="shared"),
        Patch(facecolor="none", edgecolor="black", label="unique to the other, in its colour"),
    ]
    return [parts, subject_keys(subjects)]


def _draw_bars(
    axes: Axes,
    pairs: pd.DataFrame,
    others: Sequence[str],
    colours: Mapping[str, str],
    subjects: Sequence[str],
) -> None:
    axes.grid(axis="y")
    axes.axhline(0, color="black", linewidth=0.6)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.set_xticks(range(len(others)), others)
    for place, other in enumerate(others):
        rows = pairs[pairs["other"] == other].set_index("subject")
        drawn = [
            draw_bar(axes, place + offset, rows[part], subjects, width=0.25, colour=colour)
            for part, offset, colour in zip(
                _PARTS,
                (-0.27, 0, 0.27),
                (next(iter(colours.values())), _SHARED, colours[other]),
                strict=True,
            )
        ]
        if all(top is None for top in drawn):
            say_no_data(axes, place)


def _source(
    table: pd.DataFrame, pairs: pd.DataFrame, values: Sequence[str], reference: str
) -> pd.DataFrame:
    kept = table[["subject", "roi", "a", "b", *values]]
    summary = [
        {"roi": roi, "other": other}
        | {
            f"{part}_{name}": number
            for part in _PARTS
            for name, number in zip(("mean", "sem"), mean_and_sem(rows[part]), strict=True)
        }
        for (roi, other), rows in pairs.groupby(["roi", "other"], sort=False)
    ]
    names = [f"{part}_{name}" for part in _PARTS for name in ("mean", "sem")]
    means = pd.DataFrame(summary, columns=["roi", "other", *names])
    # Pairs without the reference have no bar, so no mean: nothing is called "".
    other = kept["b"].where(kept["a"] == reference, kept["a"].where(kept["b"] == reference, ""))
    return kept.assign(other=other).merge(means, on=["roi", "other"], how="left")
