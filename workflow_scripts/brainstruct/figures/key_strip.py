"""Keys above a plot: rows of labelled colours and markers, each group on lines of its own.

A group may also be words, on one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from matplotlib.artist import Artist

from brainstruct.figures.page import Page, text_width, widest

Group = Sequence[Artist] | str

_LINE = 3.8  # mm
_SIZE = 6.5  # points
_HANDLE = 8.0  # width of a handle and the gaps around it, mm


def strip_height(groups: Sequence[Group], width: float) -> float:
    """Return the height that groups of keys take in a given width, mm."""
    return sum(
        _LINE * (1 if isinstance(group, str) else ceil(len(group) / _columns(group, width)))
        for group in groups
        if group
    )


def draw_strip(page: Page, groups: Sequence[Group], left: float, top: float, width: float) -> None:
    """Draw groups of keys at a place in mm, read row by row."""
    for group in groups:
        if not group:
            continue
        if isinstance(group, str):
            page.write(left, top, group, va="top", fontsize=_SIZE)
        else:
            columns = _columns(group, width)
            # matplotlib fills column by column.
            by_column = [handle for first in range(columns) for handle in group[first::columns]]
            page.figure.legend(
                handles=by_column,
                loc="upper left",
                bbox_to_anchor=page.place(left, top),
                ncols=columns,
                borderpad=0,
                labelspacing=0.6,
            )
        top += strip_height([group], width)


def _columns(group: Sequence[Artist], width: float) -> int:
    labels = [str(handle.get_label()) for handle in group]
    if sum(text_width(label, _SIZE) + _HANDLE for label in labels) <= width:
        return max(len(group), 1)
    return max(min(int(width // (widest(labels, _SIZE) + _HANDLE)), len(group)), 1)
