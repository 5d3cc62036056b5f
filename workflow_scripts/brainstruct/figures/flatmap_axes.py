"""Axes that show a flattened cortex: grey folds and layers of data."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from brainstruct.figures.style import CURVATURE, HALO
from brainstruct.figures.surface import Flatmap

Window = tuple[slice, slice]
"""Rows and columns of a flatmap that are shown."""

_BORDER = 0.03  # empty rim around the data, as a share of the image's height


def view(flatmap: Flatmap, shown: NDArray[np.bool_]) -> Window:
    """Cut a flatmap to pixels with data, [row, column], and a rim; without data, show all."""
    rows, columns = np.nonzero(shown if shown.any() else flatmap.inside)
    rim = round(_BORDER * shown.shape[0])
    return (
        slice(max(rows.min() - rim, 0), min(rows.max() + rim + 1, shown.shape[0])),
        slice(max(columns.min() - rim, 0), min(columns.max() + rim + 1, shown.shape[1])),
    )


def show_cortex(axes: Axes, flatmap: Flatmap, window: Window) -> None:
    """Draw gyri and sulci in grey, and make data coordinates pixels of the flatmap."""
    gyrus, sulcus = (np.array(to_rgb(grey)) for grey in CURVATURE)
    deep = np.nan_to_num(flatmap.curvature) < 0
    image = np.empty((*deep.shape, 4), np.float32)
    image[..., :3] = np.where(deep[..., None], sulcus, gyrus)
    image[..., 3] = flatmap.inside
    show_layer(axes, image, window)
    rows, columns = window
    axes.set(xlim=(columns.start - 0.5, columns.stop - 0.5), aspect="equal")
    axes.set_ylim(rows.stop - 0.5, rows.start - 0.5)
    axes.axis("off")
    text: dict[str, Any] = {"va": "top", "color": "0.25"}
    letter: dict[str, Any] = {"fontweight": "bold", "path_effects": HALO, **text}
    for name, place, side in (("L", 0.01, "left"), ("R", 0.99, "right")):
        axes.text(place, 0.985, name, transform=axes.transAxes, ha=side, **letter)
    if flatmap.note:
        axes.annotate(
            flatmap.note,
            (1, 0),
            (0, -0.5),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            fontsize=5,  # fits between the cortex and what stands below it
            **text,
        )


def show_layer(axes: Axes, image: NDArray[np.float32], window: Window) -> None:
    """Draw an image of RGBA values [row, column, 4] over what is there."""
    rows, columns = window
    axes.imshow(
        image[window],
        extent=(columns.start - 0.5, columns.stop - 0.5, rows.stop - 0.5, rows.start - 0.5),
        origin="upper",
        zorder=1,
    )
