"""Colour scales of continuous values, and their bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from brainstruct.figures.page import Page
from brainstruct.figures.style import SEQUENTIAL

BAR = 14.0
"""Height of the strip that a colour bar needs, mm."""

_STEPS = np.array([1.0, 2.0, 5.0, 10.0])


@dataclass(frozen=True)
class Scale:
    """What colour a value has.

    Attributes
    ----------
    label : str
        What the values are, with their unit.
    low, high : float
        Ends of the scale.
    beyond : str
        Where there are values outside it: ``neither``, ``min``, ``max`` or
        ``both``, as in matplotlib.
    cmap : str
        A colour map of matplotlib.
    """

    label: str
    low: float
    high: float
    beyond: str = "neither"
    cmap: str = SEQUENTIAL

    @classmethod
    def of(
        cls,
        values: ArrayLike,
        label: str,
        low: float | None = None,
        high: float | None = None,
        cmap: str = SEQUENTIAL,
    ) -> Scale:
        """Make a scale for values; ends that are not given are those of the values."""
        known = finite(values)
        bottom = low if low is not None else float(known.min(initial=np.inf))
        top = high if high is not None else float(known.max(initial=-np.inf))
        if not known.size:
            bottom, top = low or 0.0, 1.0 if high is None else high
        under, over = bool((known < bottom).any()), bool((known > top).any())
        beyond = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[under, over]
        return cls(label, bottom, top, beyond, cmap)

    @property
    def mappable(self) -> ScalarMappable:
        """The scale in matplotlib's terms."""
        return ScalarMappable(Normalize(self.low, self.high), matplotlib.colormaps[self.cmap])

    def paint(self, image: NDArray[np.floating]) -> NDArray[np.float32]:
        """Colour an image [row, column]; NaN is transparent."""
        known = np.isfinite(image)
        painted = np.zeros((*image.shape, 4), np.float32)
        painted[known] = self.mappable.to_rgba(image[known])
        return painted

    def draw_bar(
        self, page: Page, left: float, top: float, width: float, marks: Sequence[float] = ()
    ) -> None:
        """Draw the colour bar.

        Parameters
        ----------
        page : Page
            Where to.
        left, top, width : float
            Place on the page, mm.
        marks : sequence of float
            Values to mark with a line.
        """
        strip = page.axes(left, top, width, 2.5)
        bar = page.figure.colorbar(
            self.mappable,
            cax=strip,
            orientation="horizontal",
            label=self.label,
            extend=self.beyond,
            ticks=MaxNLocator(5),
        )
        for mark in marks:
            bar.ax.axvline(mark, color="white", linewidth=1.4)
            bar.ax.axvline(mark, color="black", linewidth=0.7)


def finite(values: ArrayLike) -> NDArray[np.float64]:
    """Return the values that are numbers."""
    numbers = np.asarray(values, float).ravel()
    known: NDArray[np.float64] = numbers[np.isfinite(numbers)]
    return known


def round_end(values: ArrayLike, share: float = 0.99) -> float:
    """Choose the upper end of a scale that starts at 0: 1, 2 or 5 times a power of ten.

    Being round, it is the same for data that differ a little.

    Parameters
    ----------
    values : array-like
        NaN is left out.
    share : float
        Share of the values to cover.

    Returns
    -------
    float
        1 if no value is positive.
    """
    known = finite(values)
    wanted = float(np.quantile(known, share)) if known.size else 0.0
    if wanted <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(power * _STEPS[np.searchsorted(_STEPS, wanted / power * (1 - 1e-9))])
