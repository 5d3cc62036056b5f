"""Flattened pieces of a surface: cut out, and checked before they are drawn."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from brainstruct.figures.raster import rasterise

Floats = NDArray[np.floating]
Triangles = NDArray[np.int32]

_BRIDGE, _BRIDGE_STRETCH = 20.0, 5.0
"""An edge that is longer, in mm and in multiples of its length in the brain, crosses a cut."""

_SCRAP = 0.01
"""Share of the triangles of the largest piece, below which a piece is an offcut."""

_HIDDEN, _ROWS = 0.1, 256
"""Share of a piece that may lie behind another part of the patch, and rows of pixels to see it.

Flattening leaves a few folds: pycortex's S1 and fsaverage5 have less than one in a thousand.
"""

_NARROW = 0.05  # no patch is twenty times as long as it is wide

_ALIKE = 0.3
"""Correlation, from which two measures are of one surface.

Lengths of edges in the plane and in the brain: 0.79 to 0.87 in S1 and fsaverage5, 0.16 or less
with the other hemisphere's patch. Curvature: 0.81 to 0.88, and 0.08 with the other's.
"""

_SMOOTHINGS = 5  # curvature of single vertices is mostly noise


def cut_out(triangles: Triangles, flat: NDArray[np.float32], middle: Floats) -> Triangles:
    """Choose the triangles of a surface that are on its flatmap.

    Those with three flat corners, without bridges over cuts (an edge far longer than it is in the
    brain) and without scraps, small pieces that hang together with the rest by no edge; cutting
    leaves some. `flat` is NaN for vertices that were cut away, `middle` is mid-cortex; both are
    in mm.
    """
    known = np.asarray(np.isfinite(flat).all(axis=1))
    kept = triangles[known[triangles].all(axis=1)]
    edges = kept[:, [[0, 1], [1, 2], [2, 0]]]
    stretched, true = _lengths(flat, edges), _lengths(middle, edges)
    bridge = (stretched > _BRIDGE) & (stretched > _BRIDGE_STRETCH * true)
    kept = kept[~bridge.any(axis=1)]
    if not len(kept):
        return kept
    piece = _pieces(kept, len(flat))
    size = np.bincount(piece)
    return np.asarray(kept[size[piece] >= _SCRAP * size.max()])


def fault_of(triangles: Triangles, flat: Floats, middle: Floats) -> str:
    """Say why a patch that was cut out cannot be drawn as a whole; nothing if it can."""
    # In order, so that an edge has one name in all its triangles.
    edges = np.sort(triangles, axis=1)[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2)
    number = edges[:, 0].astype(np.int64) * len(flat) + edges[:, 1]
    number, first, count = np.unique(number, return_index=True, return_counts=True)
    edges, many = edges[first], count > 2
    if many.any():
        ends = " and ".join(str(vertex) for vertex in edges[many.argmax()])
        return (
            f"is no surface: more than two triangles meet at {many.sum()} of its edges, the first "
            f"between vertices {ends} (from 0)"
        )
    places = flat[np.unique(triangles)].astype(float)
    _, axes = np.linalg.eigh(np.cov(places.T))
    width, length = np.ptp(places @ axes, axis=0)
    if width < _NARROW * max(length, 1):
        return f"is no plane: it is {length:.3g} mm long and {width:.3g} mm wide"
    image = rasterise(flat, triangles, _ROWS)
    piece = _pieces(triangles, len(flat))
    under = np.bincount(piece, weights=image.drawn)
    hidden = 1 - np.bincount(piece[image.triangle], minlength=len(under)) / np.maximum(under, 1)
    if hidden.max() > _HIDDEN:
        pieces = "" if len(under) == 1 else f" ({np.count_nonzero(under)} pieces)"
        return f"lies over itself{pieces}: {hidden.max():.0%} of a piece is behind another part"
    likeness = _correlation(np.log1p(_lengths(flat, edges)), np.log1p(_lengths(middle, edges)))
    if not likeness >= _ALIKE:
        return (
            "is the patch of another surface: edges in the plane and in the brain have lengths "
            f"that correlate with r = {likeness:z.2f}"
        )
    return ""


def strays_from_folds(points: Floats, triangles: Triangles, curvature: Floats) -> str:
    """Say why a curvature, positive on gyri, is not that of a surface; nothing if it is."""
    a, b, c = (points[corner] for corner in triangles.T)
    direction = np.cross(b - a, c - a)
    around = sparse.coo_array(
        (np.ones(triangles.size), (triangles.ravel(), np.arange(len(triangles)).repeat(3))),
        shape=(len(points), len(triangles)),
    ).tocsr()
    outward = around @ direction
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-12)
    shared = around @ around.T  # a vertex itself, and its neighbours
    mean = sparse.diags_array(1 / np.maximum(shared.sum(axis=1), 1)) @ shared
    bulge, given = ((points - mean @ points) * outward).sum(axis=1), curvature.astype(float)
    for _ in range(_SMOOTHINGS):
        bulge, given = mean @ bulge, mean @ given
    likeness = _correlation(bulge, given)
    if likeness >= _ALIKE:
        return ""
    sign = ", as if it were negative on gyri" if likeness <= -_ALIKE else ""
    return f"does not follow the folds of the surface (r = {likeness:z.2f}){sign}"


def _pieces(triangles: Triangles, n_vertices: int) -> NDArray[np.int32]:
    """Return the number of the piece that each triangle belongs to, from 0."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    graph = sparse.coo_array((np.ones(len(edges), bool), edges.T), shape=(n_vertices,) * 2)
    _, piece = connected_components(graph, directed=False)
    _, number = np.unique(piece[triangles[:, 0]], return_inverse=True)
    return np.asarray(number, np.int32)


def _lengths(points: Floats, edges: NDArray[np.integer]) -> Floats:
    """Return the length of each edge, [..., (from, to)]."""
    return np.asarray(np.linalg.norm(points[edges[..., 0]] - points[edges[..., 1]], axis=-1))


def _correlation(first: Floats, second: Floats) -> float:
    """Return the correlation of two measures; 0 where one is constant."""
    first, second = first - first.mean(), second - second.mean()
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.vdot(first, second)) / size if size > 0 else 0.0
