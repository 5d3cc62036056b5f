"""A page measured in millimetres: axes are placed where they will be printed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure

MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72
_MEAN_ADVANCE = 0.55  # width of a mean letter of DejaVu Sans in text, in em


class Page:
    """A figure of a width and height, with a title in its upper left corner.

    All places are mm from that corner.
    """

    def __init__(self, width: float, height: float, title: str = "") -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH))
        if title:
            self.write(2, 2, title, va="top", fontsize=8, fontweight="bold")

    def place(self, left: float, top: float) -> tuple[float, float]:
        """Return a place as shares of the figure, from its lower left corner."""
        return left / self.width, 1 - top / self.height

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes, by their upper left corner and size."""
        corner = self.place(left, top + height)
        return self.figure.add_axes((*corner, width / self.width, height / self.height))

    def grid(
        self,
        count: int,
        columns: int,
        corner: tuple[float, float],
        size: tuple[float, float],
        pitch: tuple[float, float],
        caption: float = 0.0,
    ) -> list[Axes]:
        """Add axes row by row, `columns` in each, with room for a caption over each.

        `corner` is the place of the first caption, `size` width and height of axes, `pitch` those
        of axes with all that is around them, `caption` the height of a caption; all in mm.
        """
        return [
            self.axes(corner[0] + column * pitch[0], corner[1] + row * pitch[1] + caption, *size)
            for row, column in (divmod(number, columns) for number in range(count))
        ]

    def colour_bar(
        self, mappable: ScalarMappable, left: float, top: float, width: float, **options: Any
    ) -> Colorbar:
        """Draw a horizontal colour bar, with options of matplotlib's."""
        strip = self.axes(left, top, width, 2.5)
        return self.figure.colorbar(mappable, cax=strip, orientation="horizontal", **options)

    def canvas(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add invisible axes whose data are mm from their upper left corner."""
        axes = self.axes(left, top, width, height)
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        return axes

    def write(self, left: float, top: float, text: str, **look: Any) -> None:
        """Write text to the right of a place."""
        self.figure.text(*self.place(left, top), text, **look)


def text_width(text: str, fontsize: float) -> float:
    """Estimate the printed width of a line of text of a size (points), mm."""
    return len(text) * _MEAN_ADVANCE * fontsize * MM_PER_POINT


def letters_in(width: float, fontsize: float) -> int:
    """Estimate how many letters of a size (points) fit a width (mm)."""
    return max(int(width / (_MEAN_ADVANCE * fontsize * MM_PER_POINT)), 1)


def widest(texts: Iterable[str], fontsize: float) -> float:
    """Estimate the width of the widest of several lines, mm."""
    return max((text_width(text, fontsize) for text in texts), default=0.0)
