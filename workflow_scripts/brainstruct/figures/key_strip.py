"""Keys above a plot: rows of labelled colours and markers, each group on lines of its own.

A group may also be words. What is too long for its place goes on in further lines.
"""

from collections.abc import Sequence

from matplotlib.artist import Artist

from brainstruct.figures.page import Page, overhang, text_width, widest, wrapped

Group = Sequence[Artist] | str

_LINE = 3.8  # mm
_SIZE = 6.5  # points
_HANDLE = 8.0  # width of a handle and the gaps around it, mm


def strip_height(groups: Sequence[Group], width: float) -> float:
    """Return the height that groups of keys take in a given width, mm."""
    return sum(_height(group, width) for group in groups if group)


def draw_strip(page: Page, groups: Sequence[Group], left: float, top: float, width: float) -> None:
    """Draw groups of keys at a place in mm, read row by row."""
    for group in groups:
        if not group:
            continue
        if isinstance(group, str):
            page.write(left, top, wrapped(group, width, _SIZE), va="top", fontsize=_SIZE)
        else:
            labels, columns = _columns(group, width)
            # matplotlib fills column by column.
            order = [
                place for first in range(columns) for place in range(len(group))[first::columns]
            ]
            page.figure.legend(
                [group[place] for place in order],
                [labels[place] for place in order],
                loc="upper left",
                bbox_to_anchor=page.place(left, top),
                ncols=columns,
                borderpad=0,
                labelspacing=0.5,
            )
        top += _height(group, width)


def _height(group: Group, width: float) -> float:
    if isinstance(group, str):
        return _LINE + overhang(wrapped(group, width, _SIZE), _SIZE)
    labels, columns = _columns(group, width)
    heights = [_LINE + overhang(label, _SIZE) for label in labels]
    return max(sum(heights[first::columns]) for first in range(columns))


def _columns(group: Sequence[Artist], width: float) -> tuple[list[str], int]:
    """Return the labels of keys, in lines, and how many keys stand side by side."""
    labels = [wrapped(str(handle.get_label()), width - _HANDLE, _SIZE) for handle in group]
    if sum(text_width(label, _SIZE) + _HANDLE for label in labels) <= width:
        return labels, len(group)
    return labels, max(min(int(width // (widest(labels, _SIZE) + _HANDLE)), len(group)), 1)
