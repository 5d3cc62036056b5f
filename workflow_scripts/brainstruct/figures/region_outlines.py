"""Outlines and names of regions on a flattened cortex."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import ndimage

from brainstruct.figures.flatmap_axes import Window
from brainstruct.figures.page import MM_PER_INCH, MM_PER_POINT, text_width
from brainstruct.figures.style import HALO
from brainstruct.figures.surface import Flatmap

_BLUR = 0.006  # of the image's height: rounds the corners of voxels
_SMALLEST = 2e-4  # of the image's pixels: smaller patches of a region get no label
_CANDIDATES = 200  # places tried for a label
_LABEL_SIZE = 6.0  # points
_SMALL = 70.0  # a narrower map has smaller labels and finer lines, mm

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Outline:
    """Where a region lies: its smoothed share of the depth, cut to its surroundings."""

    name: str
    share: NDArray[np.float32]
    top: int
    left: int

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the flatmap that the cut has."""
        return np.arange(self.top, self.top + self.share.shape[0])

    @property
    def columns(self) -> NDArray[np.int64]:
        """Columns of the flatmap that the cut has."""
        return np.arange(self.left, self.left + self.share.shape[1])

    @property
    def inside(self) -> NDArray[np.bool_]:
        """[row, column] of the cut: pixels of the region."""
        return self.share > 0.5


def show_regions(
    axes: Axes,
    flatmap: Flatmap,
    regions: Sequence[Outline],
    window: Window,
    named: bool = True,
) -> None:
    """Outline regions on axes set up by `show_cortex`, and write their names into them."""
    scale = _pixels_per_mm(axes, window)
    small = (window[1].stop - window[1].start) / scale < _SMALL
    size, wide, narrow = (5.0, 0.9, 0.4) if small else (_LABEL_SIZE, 1.3, 0.6)
    for region in regions:
        grid = region.columns, region.rows, region.share
        axes.contour(*grid, [0.5], colors="white", linewidths=wide, zorder=3)
        axes.contour(*grid, [0.5], colors="black", linewidths=narrow, zorder=4)
    if not named:
        return
    taken: list[Box] = []
    # Small regions first: they have the least choice of where their name goes.
    for region in sorted(regions, key=lambda region: int(region.inside.sum())):
        half_width = text_width(region.name, size) * scale / 2
        half_height = 0.6 * size * MM_PER_POINT * scale
        for places in _label_places(region, flatmap, window):
            x, y = _free_place(places, half_width, half_height, taken)
            taken.append((x, y, half_width, half_height))
            text = axes.text(x, y, region.name, ha="center", va="center_baseline")
            text.set(fontsize=size, zorder=5, path_effects=HALO)


def find_regions(flatmap: Flatmap, rois: xr.DataArray) -> Iterator[Outline]:
    """Give the regions that cover most of the depth somewhere on the flatmap.

    `rois` (roi, voxel), bool, has the coordinate roi (names) and voxel coordinates i, j, k.
    """
    sigma = _BLUR * flatmap.inside.shape[0]
    rim = int(np.ceil(4 * sigma)) + 1  # where the filter's kernel ends
    known = np.nan_to_num(flatmap.image((flatmap.depth > 0).astype(np.float32)))
    for roi in rois["roi"]:
        share = np.nan_to_num(flatmap.coverage(rois.sel(roi=roi)))
        rows, columns = (np.flatnonzero(share.any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            continue
        top, left = max(rows[0] - rim, 0), max(columns[0] - rim, 0)
        cut = slice(top, rows[-1] + rim + 1), slice(left, columns[-1] + rim + 1)
        # Normalised convolution: the blank outside must not eat into regions at the edge.
        blurred = ndimage.gaussian_filter(share[cut], sigma)
        weight = ndimage.gaussian_filter(known[cut], sigma)
        smooth = np.divide(blurred, weight, out=np.zeros_like(blurred), where=weight > 1e-3)
        smooth[~flatmap.inside[cut]] = 0
        if (smooth > 0.5).any():
            yield Outline(str(roi.item()), smooth, int(top), int(left))


def _label_places(
    region: Outline, flatmap: Flatmap, window: Window
) -> Iterator[NDArray[np.float64]]:
    """Give, per hemisphere, places for a label as [place, (x, y)], best first.

    The best is the point of the region's largest patch farthest from its
    outline, which is inside even where the centroid is not.
    """
    rows, columns = region.rows, region.columns
    row_seen, column_seen = (
        (places >= shown.start) & (places < shown.stop)
        for places, shown in zip((rows, columns), window, strict=True)
    )
    seen = region.inside & row_seen[:, None] & column_seen
    for half in (columns < flatmap.midline, columns >= flatmap.midline):
        patches, count = ndimage.label(seen & half)
        sizes = np.bincount(patches.ravel(), minlength=2)[1:]
        if not count or sizes.max() < _SMALLEST * flatmap.inside.size:
            continue
        largest = np.pad(patches == sizes.argmax() + 1, 1)
        depth = ndimage.distance_transform_edt(largest)[1:-1, 1:-1]
        best = np.argsort(-depth, axis=None, kind="stable")[: int(sizes.max())]
        y, x = np.unravel_index(best[:: max(len(best) // _CANDIDATES, 1)], depth.shape)
        yield np.stack([columns[x], rows[y]], axis=1).astype(float)


def _free_place(
    places: NDArray[np.float64], half_width: float, half_height: float, taken: list[Box]
) -> tuple[float, float]:
    for x, y in places:
        if all(
            abs(x - other_x) >= half_width + other_width
            or abs(y - other_y) >= half_height + other_height
            for other_x, other_y, other_width, other_height in taken
        ):
            return float(x), float(y)
    x, y = places[0]
    return float(x), float(y)


def _pixels_per_mm(axes: Axes, window: Window) -> float:
    figure = axes.get_figure(root=True)
    assert figure is not None
    width = axes.get_position().width * figure.get_size_inches()[0] * MM_PER_INCH
    return float((window[1].stop - window[1].start) / width)
