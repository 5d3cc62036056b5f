"""Pages with flatmaps in a grid and room for a legend below."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from brainstruct.figures.page import Page
from brainstruct.figures.style import DOUBLE_COLUMN

_RIM = 2.0  # mm
_TALLEST = 105.0  # of a flatmap, mm
_PAGE = 225.0  # of all flatmaps, mm: what a journal's page leaves beside a caption
_TITLE, _CAPTION = 6.0, 5.0  # mm


def flatmap_page(
    captions: Sequence[str],
    aspects: Sequence[float],
    legend_height: float,
    title: str,
    columns: int | None = None,
) -> tuple[Page, list[Axes], float]:
    """Lay out a page of two journal columns.

    Parameters
    ----------
    captions : sequence of str
        One per flatmap, written over it.
    aspects : sequence of float
        Height over width of the flatmaps.
    legend_height : float
        Room below the flatmaps, mm.
    title : str
        Title of the page.
    columns : int, optional
        Flatmaps in a row; by default all.

    Returns
    -------
    page : Page
        The page.
    axes : list of matplotlib.axes.Axes
        One per flatmap.
    below : float
        Where the room below starts, mm from the top.
    """
    columns = min(columns or len(captions), len(captions))
    rows = -(-len(captions) // columns)
    cell = (DOUBLE_COLUMN - _RIM * (columns + 1)) / columns
    caption = _CAPTION if any(captions) else 0.0
    room = (_PAGE - legend_height) / rows - caption - _RIM
    tallest = min(max(aspects) * cell, _TALLEST, room)
    top = _RIM + (_TITLE if title else 0)
    pitch = caption + tallest + _RIM
    page = Page(DOUBLE_COLUMN, top + rows * pitch + legend_height)
    page.title(title)
    axes = []
    for index, (words, shape) in enumerate(zip(captions, aspects, strict=True)):
        row, column = divmod(index, columns)
        left = _RIM + column * (cell + _RIM)
        upper = top + row * pitch + caption
        width = min(cell, tallest / shape)
        axes.append(page.axes(left + (cell - width) / 2, upper, width, width * shape))
        if words:
            page.figure.text(
                left / page.width,
                1 - (upper - 1) / page.height,
                words,
                ha="left",
                va="bottom",
                fontsize=7.5,
                fontweight="bold",
            )
    return page, axes, top + rows * pitch - _RIM
