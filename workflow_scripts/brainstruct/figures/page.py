"""A page measured in millimetres: axes are placed where they will be printed."""

import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ft2font import LoadFlags

MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72
BOLD = 1.15  # width of bold type over that of plain type
_LEADING = 1.2  # from line to line, in em
_MOST_LINES = 4  # of a label


class Page:
    """A figure of a width and height, with a title in its upper left corner.

    All places are mm from that corner, or from as far below it as the title has further lines.
    """

    def __init__(self, width: float, height: float, title: str = "") -> None:
        lines = wrapped(title, width - 4, 8 * BOLD)
        self.width, self.height, self._lead = width, height, overhang(lines, 8)
        whole = height + self._lead
        self.figure = Figure(figsize=(width / MM_PER_INCH, whole / MM_PER_INCH))
        if title:
            self.write(2, 2 - self._lead, lines, va="top", fontsize=8, fontweight="bold")

    def place(self, left: float, top: float) -> tuple[float, float]:
        """Return a place as shares of the figure, from its lower left corner."""
        return left / self.width, 1 - (top + self._lead) / (self.height + self._lead)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes, by their upper left corner and size."""
        corner = self.place(left, top + height)
        whole = self.height + self._lead
        return self.figure.add_axes((*corner, width / self.width, height / whole))

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
    """Return the printed width of the widest line of a text of a size (points), mm."""
    longest = max(sum(map(_advance, line)) for line in text.split("\n"))
    return longest * fontsize * MM_PER_POINT


def widest(texts: Iterable[str], fontsize: float) -> float:
    """Return the width of the widest of several texts, mm."""
    return max((text_width(text, fontsize) for text in texts), default=0.0)


def wrapped(text: str, width: float, fontsize: float, most: int = _MOST_LINES) -> str:
    """Break a text into lines of a width (mm); what is left after the most lines is an ellipsis."""
    most_letters = max(int(width / text_width("i", fontsize)), 0) + 1
    for letters in range(most_letters, 0, -1):
        lines = textwrap.wrap(text, letters, expand_tabs=False)
        if widest(lines, fontsize) <= width:
            break
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "\N{HORIZONTAL ELLIPSIS}"]
    return "\n".join(lines)


def overhang(text: str, fontsize: float) -> float:
    """Return the height of all lines of a text but the first, mm."""
    return text.count("\n") * _LEADING * fontsize * MM_PER_POINT


@cache
def _advance(letter: str) -> float:
    """Return the width of a letter of the style's type, em; one that it lacks is as wide as any."""
    font = get_font(findfont("DejaVu Sans"))
    if not font.get_char_index(ord(letter)):
        return 1.0
    return float(font.load_char(ord(letter), LoadFlags.NO_SCALE).horiAdvance / font.units_per_EM)
