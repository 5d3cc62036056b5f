"""Pages with flatmaps side by side and room for a legend below."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from brainstruct.figures.page import Page
from brainstruct.figures.style import DOUBLE_COLUMN

_RIM = 2.0  # mm
_TALLEST = 105.0  # of a flatmap, mm
_TITLE, _CAPTION = 6.0, 5.0  # mm


def flatmap_page(
    captions: Sequence[str], aspect: float, legend_height: float, title: str
) -> tuple[Page, list[Axes], float]:
    """Lay out a page of two journal columns.

    Parameters
    ----------
    captions : sequence of str
        One per flatmap, written over it.
    aspect : float
        Height over width of a flatmap.
    legend_height : float
        Room below the flatmaps, mm.
    title : str
        Title of the page.

    Returns
    -------
    page : Page
        The page.
    axes : list of matplotlib.axes.Axes
        One per flatmap.
    below : float
        Where the room below starts, mm from the top.
    """
    count = len(captions)
    cell = (DOUBLE_COLUMN - _RIM * (count + 1)) / count
    width = min(cell, _TALLEST / aspect)
    height = width * aspect
    top = _RIM + (_TITLE if title else 0) + (_CAPTION if any(captions) else 0)
    page = Page(DOUBLE_COLUMN, top + height + legend_height + _RIM)
    page.title(title)
    axes = []
    for index, caption in enumerate(captions):
        left = _RIM + index * (cell + _RIM)
        panel = page.axes(left + (cell - width) / 2, top, width, height)
        if caption:
            page.figure.text(
                left / page.width,
                1 - (top - 1) / page.height,
                caption,
                ha="left",
                va="bottom",
                fontsize=7.5,
                fontweight="bold",
            )
        axes.append(panel)
    return page, axes, top + height
