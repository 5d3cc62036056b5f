"""Pictures of flat surfaces: which triangle lies under each pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EDGE = 1e-6  # a pixel on an edge belongs to both triangles; the first one gets it

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Raster:
    """An image of a flat surface: the triangle under each pixel whose centre is inside."""

    inside: NDArray[np.bool_]  # [row, column], top row first
    corners: NDArray[np.int64]  # [pixel inside, corner]: vertices of its triangle
    weights: Floats  # [pixel inside, corner]: barycentric coordinates
    extent: tuple[float, float, float, float]  # left, right, bottom and top, of the surface
    triangle: NDArray[np.int64]  # [pixel inside]: its triangle
    drawn: NDArray[np.int64]  # [triangle]: pixels under it, also where another one is drawn

    def interpolate(self, values: NDArray[np.floating]) -> Floats:
        """Interpolate values of vertices, [vertex, ...], at the pixels inside."""
        shape = (*self.weights.shape, *(1,) * (values.ndim - 1))
        return np.asarray((values[self.corners] * self.weights.reshape(shape)).sum(1))


def rasterise(points: NDArray[np.floating], triangles: NDArray[np.integer], height: int) -> Raster:
    """Draw a flat surface, [vertex, (x, y)], in an image of `height` rows that it fits tightly.

    Where triangles [triangle, corner] overlap, the first one is drawn.
    """
    shown = points[np.unique(triangles)].astype(float)
    (left, bottom), (right, top) = shown.min(axis=0), shown.max(axis=0)
    pixel = (top - bottom) / height
    width = max(int((right - left) / pixel), 1)
    # In pixels, from the centre of the one at the top left, rightward and downward.
    x = (points[:, 0].astype(float) - left) / pixel - 0.5
    y = (top - points[:, 1].astype(float)) / pixel - 0.5
    number, triangle, weights = _covered(x[triangles], y[triangles], width, height)
    number, first = np.unique(number, return_index=True)
    inside = np.zeros((height, width), bool)
    inside.flat[number] = True
    return Raster(
        inside=inside,
        corners=np.asarray(triangles, np.int64)[triangle[first]],
        weights=weights[first],
        extent=(float(left), float(left + width * pixel), float(bottom), float(top)),
        triangle=triangle[first],
        drawn=np.bincount(triangle, minlength=len(triangles)),
    )


def _covered(
    x: Floats, y: Floats, width: int, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """List (pixel, triangle, barycentric coordinates) of all pixels under all triangles."""
    low_x, n_x = _reach(x, width)
    low_y, n_y = _reach(y, height)
    count = n_x * n_y
    triangle = np.repeat(np.arange(len(x)), count)
    place = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count)
    column = low_x[triangle] + place % n_x[triangle]
    row = low_y[triangle] + place // n_x[triangle]
    (ax, bx, cx), (ay, by, cy) = x[triangle].T, y[triangle].T
    with np.errstate(divide="ignore", invalid="ignore"):  # triangles without area
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        second = ((column - ax) * (cy - ay) - (row - ay) * (cx - ax)) / area
        third = ((bx - ax) * (row - ay) - (by - ay) * (column - ax)) / area
    weights = np.stack([1 - second - third, second, third], axis=1)
    under = (weights >= -_EDGE).all(axis=1)
    return (row * width + column)[under], triangle[under], weights[under]


def _reach(corners: Floats, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first pixel between a triangle's corners along an axis, and how many."""
    low = np.maximum(np.ceil(corners.min(axis=1) - _EDGE), 0).astype(np.int64)
    high = np.minimum(np.floor(corners.max(axis=1) + _EDGE), length - 1).astype(np.int64)
    return low, np.maximum(high - low + 1, 0)
