"""Colour scales of two values at once, and their square legends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from brainstruct.figures.page import Page
from brainstruct.figures.scales import Scale
from brainstruct.figures.style import BIVARIATE

_CELLS = 64  # of the legend, along each side


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
