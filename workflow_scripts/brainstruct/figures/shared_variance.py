"""What pairs of instructions explain together and apart: matrices and bars."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from brainstruct.figures import subject_bars
from brainstruct.figures.cells import draw_cells
from brainstruct.figures.column_names import ColumnNames
from brainstruct.figures.drawing import Drawing
from brainstruct.figures.key_strip import draw_strip, strip_height
from brainstruct.figures.page import Page, widest
from brainstruct.figures.scales import Scale
from brainstruct.figures.style import DOUBLE_COLUMN, journal_style
from brainstruct.figures.tidy import require_tidy, shown, summarise

_LABEL = "Share of the explainable variance"

_SHARED = "#8c8c8c"
_RIM, _GAP, _LEFT, _TITLE, _CAPTION = 3.0, 6.0, 13.0, 6.0, 5.0  # mm
_CELL, _LABELLED = 5.5, 5.0  # widest cell, narrowest with its number, mm
_MATRICES = 4  # in a row
_READABLE = 2.6  # narrowest cell whose name can be read, mm
_PAIR = 8.0  # width of a pair's bars, mm
_NARROWEST = 22.0  # panel, mm
_BAR, _PANEL, _BELOW = 15.0, 26.0, 3.0  # mm
_PARTS = ("unique_reference", "shared", "unique_other")
_SIZE = 6.5  # points

MEAN = "mean"
"""Stands for the mean over subjects among them."""


@journal_style()
def draw_shared_variance(
    table: pd.DataFrame,
    intervals: pd.DataFrame,
    *,
    reference: str,
    colours: Mapping[str, str],
    regions: Mapping[str, str] | None = None,
    title: str = "",
) -> Drawing:
    """Draw one matrix of shared variance per subject, and bars per region.

    `table` has the columns subject, roi, a, b, r2_a, r2_b, shared, unique_a and unique_b, all as
    shares of the explainable variance; one row per combination of the first four. `intervals` has
    subject (`MEAN` for the mean over them), roi, a, b, part (the last three), low, high. Bars show
    the pairs of the reference with each other instruction, in the colours of the study, see
    `brainstruct.figures.style.instruction_colours`. `regions` are shown in order, with their
    labels, by default all; matrices are those of the first. The table: subject, roi, a, b and the
    five shares of every pair; for pairs of the reference, the other instruction and each part's
    mean and sem over subjects, and interval. A `ValueError` if columns are missing or a combination
    occurs twice.
    """
    values = ("r2_a", "r2_b", "shared", "unique_a", "unique_b")
    require_tidy(table, ("subject", "roi", "a", "b"), values)
    regions = shown(table, "roi", regions)
    table = table[table["roi"].isin(list(regions))]
    keys = [key for key in colours if key in {*table["a"], *table["b"]}]
    place = ["subject", "roi", "a", "b", "part"]
    known = intervals.loc[intervals["roi"].isin(list(regions)), [*place, "low", "high"]]
    shares = table.melt(place[:4], values[2:], "part").merge(known, "outer", place)
    pairs = _reference_pairs(shares, reference)
    figure = _draw(table, pairs, keys, colours, regions, reference, title)
    return Drawing(figure, _source(table, pairs, values, reference))


@dataclass(frozen=True)
class _Layout:
    """How matrices are laid out: how many in a row, and lengths in mm."""

    per_row: int
    left: float  # of the first one
    cell: float
    side: float
    names: ColumnNames
    pitch: tuple[float, float]

    @classmethod
    def of(cls, keys: Sequence[str], subjects: Sequence[str]) -> Self:
        """Fit a matrix of all keys per subject into the page."""
        left = _RIM + widest(keys, _SIZE) + 3
        for per_row in range(max(min(len(subjects), _MATRICES), 1), 0, -1):
            cell = min(((DOUBLE_COLUMN - _RIM) / per_row - left) / max(len(keys), 1), _CELL)
            if cell >= _READABLE:
                break
        side = cell * max(len(keys), 1)
        names = ColumnNames(keys, cell)
        pitch = max(side + left, widest(subjects, 9) + _GAP), _CAPTION + side + names.height + _RIM
        return cls(per_row, left, cell, side, names, pitch)


def _draw(
    table: pd.DataFrame,
    pairs: pd.DataFrame,
    keys: Sequence[str],
    palette: Mapping[str, str],
    labels: Mapping[str, str],
    reference: str,
    title: str,
) -> Figure:
    """Lay the page out: matrices of the first region, their colour bar, a legend, bars."""
    subjects = [str(subject) for subject in table["subject"].unique()]
    colours = {reference: palette[reference]} | {key: palette[key] for key in keys}
    layout = _Layout.of(keys, subjects)
    legend: list[list[Artist]] = [
        [
            Patch(color=colours[reference], label=f"unique to {reference}"),
            Patch(color=_SHARED, label="shared"),
            Patch(facecolor="none", edgecolor="black", label="unique to the other, in its colour"),
        ],
        subject_bars.subject_keys(subjects),
    ]
    room = DOUBLE_COLUMN - _LEFT - _RIM
    head = _RIM + (_TITLE if title else 0)
    strip_top = head + ceil(max(len(subjects), 1) / layout.per_row) * layout.pitch[1] + _BAR
    panels_top = strip_top + strip_height(legend, room) + 3
    panels = _Panels.of(list(colours)[1:])
    page = Page(
        DOUBLE_COLUMN, panels_top + ceil(len(labels) / panels.per_row) * panels.pitch[1], title
    )

    whole, where = table, _LABEL
    for roi, label in list(labels.items())[:1]:
        whole, where = table[table["roi"] == roi], f"{_LABEL}, {label.lower()}"
    matrices = {s: _matrix(whole[whole["subject"] == s], keys) for s in subjects}
    scale = Scale.of(list(matrices.values()), where)
    _draw_matrices(page, matrices, keys, layout, head, scale)
    scale.draw_bar(page, layout.left, strip_top - _BAR + 1, 50)
    draw_strip(page, legend, _LEFT, strip_top, room)
    _draw_panels(page, panels, panels_top, pairs, labels, colours, subjects)
    return page.figure


class _Panels(NamedTuple):
    """How bars are laid out: panels in a row, their distance in mm, and names of pairs."""

    per_row: int
    pitch: tuple[float, float]
    names: ColumnNames

    @classmethod
    def of(cls, others: Sequence[str]) -> Self:
        """Fill the page with panels as wide as their pairs need."""
        room = DOUBLE_COLUMN - _RIM
        per_row = max(int(room / (_LEFT + max(len(others) * _PAIR, _NARROWEST))), 1)
        width = room / per_row
        names = ColumnNames(others, (width - _LEFT) / max(len(others), 1))
        return cls(per_row, (width, _CAPTION + _PANEL + names.height + _BELOW), names)


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


def _draw_matrices(
    page: Page,
    matrices: Mapping[str, NDArray[np.float64]],
    keys: Sequence[str],
    layout: _Layout,
    top: float,
    scale: Scale,
) -> None:
    """Draw the lower triangle of one matrix per subject."""
    corner, size = (layout.left, top), (layout.side, layout.side)
    places = page.grid(len(matrices), layout.per_row, corner, size, layout.pitch, _CAPTION)
    for axes, (subject, matrix) in zip(places, matrices.items(), strict=True):
        cells = []
        for row, column in np.argwhere(np.tri(len(keys), dtype=bool)).tolist():
            value = matrix[row, column]
            numbered = layout.cell >= _LABELLED and not np.isnan(value)
            cells.append((row, column, value, _short(value) if numbered else ""))
        draw_cells(axes, matrix.shape, cells, scale, 5)
        axes.set_title(subject)
        layout.names.write(axes)
        axes.set_yticks(range(len(keys)), keys)


def _short(value: float) -> str:
    """Two decimals, without a leading zero: there is little room."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:z.2f}")


def _reference_pairs(shares: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Pairs of the reference, whichever of the two it is; a row for each of their parts."""
    sides = []
    for own, other in (("a", "b"), ("b", "a")):
        names = {f"unique_{own}": "unique_reference", f"unique_{other}": "unique_other"}
        side = shares[shares[own] == reference]
        sides.append(side.assign(other=side[other], part=side["part"].replace(names)))
    return pd.concat(sides).drop(columns=["a", "b"])


def _draw_panels(
    page: Page,
    panels: _Panels,
    top: float,
    pairs: pd.DataFrame,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    subjects: Sequence[str],
) -> None:
    """Draw bars of every region: the reference, whose colour is the first, and each other one."""
    own, *others = colours
    corner, size = (_LEFT, top), (panels.pitch[0] - _LEFT, _PANEL)
    places = page.grid(len(labels), panels.per_row, corner, size, panels.pitch, _CAPTION)
    limits = subject_bars.value_limits(pairs[["value", "low", "high"]], 0.06)
    for number, (axes, (roi, label)) in enumerate(zip(places, labels.items(), strict=True)):
        axes.set(title=label, ylim=limits, xlim=(-0.6, max(len(others), 1) - 0.4))
        if number % panels.per_row == 0:
            axes.set_ylabel("Share of variance")
        subject_bars.prepare_axes(axes)
        panels.names.write(axes)
        for place, other in enumerate(others):
            here = (pairs["roi"] == roi) & (pairs["other"] == other)
            rows = pairs[here].set_index("subject")
            tops = []
            for part, offset, colour in (
                ("unique_reference", -0.27, colours[own]),
                ("shared", 0, _SHARED),
                ("unique_other", 0.27, colours[other]),
            ):
                one = rows[rows["part"] == part].reindex([*subjects, MEAN])
                height = subject_bars.draw_bar(
                    axes, place + offset, one["value"].dropna(), subjects, width=0.25,
                    colour=colour, interval=tuple(one.loc[MEAN, ["low", "high"]]), intervals=one,
                )  # fmt: skip
                tops.append(height)
            if all(height is None for height in tops):
                subject_bars.say_no_data(axes, place)


def _source(
    table: pd.DataFrame, pairs: pd.DataFrame, values: Sequence[str], reference: str
) -> pd.DataFrame:
    means = pairs[["roi", "other"]].drop_duplicates()
    groups = list(means.itertuples(index=False, name=None))
    places = pd.MultiIndex.from_frame(means)
    for part in _PARTS:
        own = pairs[pairs["part"] == part]
        one = summarise(own, ["roi", "other"], groups)
        ends = own[own["subject"] == MEAN].set_index(["roi", "other"])[["low", "high"]]
        means[[f"{part}_mean", f"{part}_sem"]] = one[["mean", "sem"]].to_numpy(float)
        means[[f"{part}_low", f"{part}_high"]] = ends.reindex(places).to_numpy(float)
    kept = table[["subject", "roi", "a", "b", *values]]
    # Pairs without the reference have no bar, so no mean: nothing is called "".
    other = kept["b"].where(kept["a"] == reference, kept["a"].where(kept["b"] == reference, ""))
    return kept.assign(other=other).merge(means, on=["roi", "other"], how="left")
