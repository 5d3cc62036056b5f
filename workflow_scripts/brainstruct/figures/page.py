"""A page measured in millimetres: axes are placed where they will be printed."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72
_MEAN_ADVANCE = 0.55  # width of a mean letter of DejaVu Sans in text, in em


class Page:
    """A figure of a given size.

    Parameters
    ----------
    width, height : float
        Size in mm.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH))

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes.

        Parameters
        ----------
        left, top : float
            Distance of the upper left corner from that of the page, mm.
        width, height : float
            Size, mm.
        """
        return self.figure.add_axes(
            (
                left / self.width,
                1 - (top + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )

    def canvas(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add invisible axes whose data are mm from their upper left corner."""
        axes = self.axes(left, top, width, height)
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        return axes

    def title(self, text: str, left: float = 2, top: float = 2) -> None:
        """Write the title of the page into its upper left corner."""
        if text:
            self.figure.text(
                left / self.width,
                1 - top / self.height,
                text,
                ha="left",
                va="top",
                fontsize=8,
                fontweight="bold",
            )


def text_width(text: str, fontsize: float) -> float:
    """Estimate the printed width of a line of text, mm.

    Parameters
    ----------
    text : str
        One line.
    fontsize : float
        Size in points.
    """
    return len(text) * _MEAN_ADVANCE * fontsize * MM_PER_POINT


def letters_in(width: float, fontsize: float) -> int:
    """Estimate how many letters of a size (points) fit a width (mm)."""
    return max(int(width / (_MEAN_ADVANCE * fontsize * MM_PER_POINT)), 1)


def widest(texts: Sequence[str], fontsize: float) -> float:
    """Estimate the width of the widest of several lines, mm."""
    return max((text_width(text, fontsize) for text in texts), default=0.0)
