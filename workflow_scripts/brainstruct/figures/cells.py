"""Matrices of coloured cells with text in them."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from brainstruct.figures.colour_science import ink_on
from brainstruct.figures.scales import Scale
from brainstruct.figures.style import MISSING


def draw_cells(
    axes: Axes,
    shape: tuple[int, int],
    cells: Iterable[tuple[int, int, float, str]],
    scale: Scale,
    fontsize: float,
) -> None:
    """Draw a matrix of a number of rows and columns, in cells 1 wide and high around whole numbers.

    Each cell is given by its row, column, value (grey if NaN) and text; `fontsize` is in points.
    """
    height, width = shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    look: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": fontsize}
    for row, column, value, text in cells:
        colour = MISSING if np.isnan(value) else scale.colour(value)
        corner = column - 0.5, row - 0.5
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white"))
        if text:
            axes.text(column, row, text, color=ink_on(colour), **look)
