"""Colour scales of continuous values, of one or of two at once, and their legends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex, to_rgb
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from brainstruct.figures.page import Page
from brainstruct.figures.style import BIVARIATE, SEQUENTIAL

BAR = 14.0
"""Height of the strip that a colour bar needs, mm."""

_CELLS = 64  # of the legend of two values, along each side
_STEPS = np.array([1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0])


@dataclass(frozen=True)
class Scale:
    """What colour a value has.

    `beyond` says where there are values outside the scale: ``neither``, ``min``, ``max`` or
    ``both``, as in matplotlib.
    """

    label: str
    low: float
    high: float
    beyond: str = "neither"

    @classmethod
    def of(cls, parts: Iterable[ArrayLike], label: str, high: float | None = None) -> Self:
        """Make a scale from 0 to `high`, or to the largest of the values."""
        known = finite(parts)
        top = float(known.max(initial=0.0)) if high is None else high
        under, over = bool((known < 0).any()), bool((known > top).any())
        return cls(label, 0.0, top, ("neither", "min", "max", "both")[under + 2 * over])

    @property
    def mappable(self) -> ScalarMappable:
        """The scale in matplotlib's terms."""
        return ScalarMappable(Normalize(self.low, self.high), matplotlib.colormaps[SEQUENTIAL])

    def colour(self, value: float) -> str:
        """Return the colour of a value, hexadecimal."""
        return to_hex(self.mappable.to_rgba(np.array([value]))[0].tolist())

    def paint(self, image: NDArray[np.floating]) -> NDArray[np.float32]:
        """Colour an image [row, column]; NaN is transparent."""
        known = np.isfinite(image)
        painted = np.zeros((*image.shape, 4), np.float32)
        painted[known] = self.mappable.to_rgba(image[known])
        return painted

    def draw_bar(
        self, page: Page, left: float, top: float, width: float, marks: Sequence[float] = ()
    ) -> None:
        """Draw the colour bar at a place in mm; `marks` are values to mark with a line."""
        look = {"label": self.label, "extend": self.beyond, "ticks": MaxNLocator(5)}
        bar = page.colour_bar(self.mappable, left, top, width, **look)
        for mark in marks:
            bar.ax.axvline(mark, color="white", linewidth=1.4)
            bar.ax.axvline(mark, color="black", linewidth=0.7)


@dataclass(frozen=True)
class BivariateScale:
    """What colour a pair of values has: corners, mixed in between; beyond an end, its colour."""

    across: Scale
    up: Scale

    def paint(self, across: NDArray[np.floating], up: NDArray[np.floating]) -> NDArray[np.float32]:
        """Colour two images [row, column]; where either is NaN is transparent."""
        known = np.isfinite(across) & np.isfinite(up)
        x, y = (
            np.clip((image[known] - scale.low) / (scale.high - scale.low), 0, 1)[:, None]
            for image, scale in ((across, self.across), (up, self.up))
        )
        (dark, right), (above, bright) = (
            [np.array(to_rgb(colour)) for colour in row] for row in BIVARIATE
        )
        painted = np.zeros((*across.shape, 4), np.float32)
        painted[known, :3] = (1 - y) * ((1 - x) * dark + x * right) + y * (
            (1 - x) * above + x * bright
        )
        painted[known, 3] = 1
        return painted

    def draw_square(self, page: Page, left: float, top: float, size: float) -> None:
        """Draw the legend as a square with its upper left corner at `left`, `top` (mm)."""
        axes = page.axes(left, top, size, size)
        steps = (np.arange(_CELLS) + 0.5) / _CELLS
        x, y = (scale.low + steps * (scale.high - scale.low) for scale in (self.across, self.up))
        axes.imshow(
            self.paint(*np.meshgrid(x, y)),
            extent=(self.across.low, self.across.high, self.up.low, self.up.high),
            origin="lower",
            aspect="auto",
            interpolation="none",
        )
        axes.set(xlabel=self.across.label, ylabel=self.up.label)
        axes.xaxis.set_major_locator(MaxNLocator(2))
        axes.yaxis.set_major_locator(MaxNLocator(2))
        axes.spines[:].set_visible(True)


def finite(parts: Iterable[ArrayLike]) -> NDArray[np.float64]:
    """Join arrays, and return the values that are numbers."""
    numbers = np.concatenate([np.empty(0), *(np.asarray(part, float).ravel() for part in parts)])
    return np.asarray(numbers[np.isfinite(numbers)])


def limits(
    parts: Iterable[ArrayLike], rim: float, span: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Return the ends of an axis from one quantile of the values to another.

    Beyond both there is a rim, a share of what lies between; without values, 0 and 1.
    """
    known = finite(parts)
    if not known.size:
        return 0.0, 1.0
    low, high = np.quantile(known, span)
    rim *= (high - low) or 1.0
    return float(low - rim), float(high + rim)


def round_end(parts: Iterable[ArrayLike]) -> float:
    """Choose the upper end of a scale that starts at 0 and covers 99 % of the values.

    It is a round number, so it is the same for data that differ a little, and at most 1.34 times
    what it covers; 1 if no value is positive.
    """
    known = finite(parts)
    wanted = float(np.quantile(known, 0.99)) if known.size else 0.0
    if wanted <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(power * _STEPS[np.searchsorted(_STEPS, wanted / power * (1 - 1e-9))])
