"""Axes that show a flattened cortex: grey folds and layers of data."""

from __future__ import annotations

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from brainstruct.figures.style import CURVATURE
from brainstruct.figures.surface import Flatmap

"""Opacity of voxels that are sure, and of those that are not."""

_BORDER = 0.03  # empty rim around the data, as a share of the image's height


def view(flatmap: Flatmap, shown: NDArray[np.bool_], zoom: bool) -> tuple[slice, slice]:
    """Choose the rows and columns of a flatmap to show.

    Parameters
    ----------
    flatmap : Flatmap
        The cortex.
    shown : numpy.ndarray
        [row, column], bool: pixels with data.
    zoom : bool
        Cut to the data, with a rim; otherwise, or without data, show
        everything.
    """
    rows, columns = np.nonzero(shown if zoom and shown.any() else flatmap.inside)
    rim = round(_BORDER * shown.shape[0])
    return (
        slice(max(rows.min() - rim, 0), min(rows.max() + rim + 1, shown.shape[0])),
        slice(max(columns.min() - rim, 0), min(columns.max() + rim + 1, shown.shape[1])),
    )


def aspect(window: tuple[slice, slice]) -> float:
    """Return height over width of a view."""
    rows, columns = window
    return float((rows.stop - rows.start) / (columns.stop - columns.start))


def show_cortex(axes: Axes, flatmap: Flatmap, window: tuple[slice, slice]) -> None:
    """Draw gyri and sulci in grey, and set the axes up for further layers.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Of the view's aspect; data coordinates become pixels of the flatmap.
    flatmap : Flatmap
        The cortex.
    window : tuple of slice
        From `view`.
    """
    gyrus, sulcus = (np.array(to_rgb(grey)) for grey in CURVATURE)
    rows, columns = window
    image = np.empty((rows.stop - rows.start, columns.stop - columns.start, 4), np.float32)
    deep = np.nan_to_num(flatmap.curvature[window]) < 0
    image[..., :3] = np.where(deep[..., None], sulcus, gyrus)
    image[..., 3] = flatmap.inside[window]
    _show(axes, image, window)
    axes.set(xlim=(columns.start - 0.5, columns.stop - 0.5), aspect="equal")
    axes.set_ylim(rows.stop - 0.5, rows.start - 0.5)
    axes.axis("off")
    for name, place, side in (("L", 0.01, "left"), ("R", 0.99, "right")):
        axes.text(
            place,
            0.985,
            name,
            transform=axes.transAxes,
            ha=side,
            va="top",
            fontweight="bold",
            color="0.25",
            path_effects=[effects.withStroke(linewidth=1.6, foreground="white")],
        )

    if flatmap.note:
        axes.annotate(
            flatmap.note,
            (1, 0),
            (0, -0.5),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=5,  # fits between the cortex and what stands below it
            color="0.25",
        )


def midline(flatmap: Flatmap) -> int:
    """Return the first column of the right hemisphere."""
    left, right, _, _ = flatmap.extent
    column: int = round(flatmap.inside.shape[1] * -left / (right - left))
    return column


def show_layer(axes: Axes, image: NDArray[np.float32], window: tuple[slice, slice]) -> None:
    """Draw an image of RGBA values [row, column, 4] over what is there."""
    _show(axes, image[window], window)


def _show(axes: Axes, part: NDArray[np.float32], window: tuple[slice, slice]) -> None:
    rows, columns = window
    axes.imshow(
        part,
        extent=(columns.start - 0.5, columns.stop - 0.5, rows.stop - 0.5, rows.start - 0.5),
        origin="upper",
        zorder=1,
    )


def paint_codes(codes: NDArray[np.int64], colours: list[str]) -> NDArray[np.float32]:
    """Colour an image of categories; -1 is transparent.

    Parameters
    ----------
    codes : numpy.ndarray
        [row, column], index into `colours`.
    colours : list of str
        One per category.
    """
    lookup = np.array([to_rgb(colour) for colour in colours] + [(0.0, 0.0, 0.0)], np.float32)
    image = np.empty((*codes.shape, 4), np.float32)
    image[..., :3] = lookup[codes]  # -1 picks the last, which is transparent
    image[..., 3] = codes >= 0
    return image
