"""One hemisphere of a cortex, with the piece of it that has been flattened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Side = Literal["lh", "rh"]
Floats = NDArray[np.floating]

_BRIDGE, _BRIDGE_STRETCH = 20.0, 5.0
"""An edge that is longer, in mm and in multiples of its length in the brain, crosses a cut."""


@dataclass(frozen=True)
class Hemisphere:
    """Surfaces of one hemisphere, which share vertices.

    Attributes
    ----------
    white, pial, inflated : numpy.ndarray
        [vertex, (x, y, z)], mm, to the right, front and top.
    triangles, flat_triangles : numpy.ndarray
        [triangle, corner]: vertices, counter-clockwise as seen from outside; all, and those
        that are on the flatmap.
    flat : numpy.ndarray
        [vertex, (x, y)], mm; only vertices of `flat_triangles` count.
    curvature : numpy.ndarray
        [vertex], positive on gyri.
    """

    side: Side
    white: NDArray[np.float32]
    pial: NDArray[np.float32]
    inflated: NDArray[np.float32]
    triangles: NDArray[np.int32]
    flat: NDArray[np.float32]
    flat_triangles: NDArray[np.int32]
    curvature: NDArray[np.float32]


def cut_out(
    triangles: NDArray[np.int32], flat: NDArray[np.float32], middle: Floats
) -> NDArray[np.int32]:
    """Choose the triangles of a surface that are on its flatmap.

    Those with three flat corners, without bridges over cuts (an edge far longer than it is in the
    brain) and without scraps that hang together with the rest by no edge; cutting leaves some.
    `flat` is NaN for vertices that were cut away, `middle` is mid-cortex; both are in mm.
    """
    known = np.asarray(np.isfinite(flat).all(axis=1))
    kept = triangles[known[triangles].all(axis=1)]
    stretched, true = _edge_lengths(flat, kept), _edge_lengths(middle, kept)
    bridge = (stretched > _BRIDGE) & (stretched > _BRIDGE_STRETCH * true)
    kept = kept[~bridge.any(axis=1)]
    if not len(kept):
        return kept
    edges = np.concatenate([kept[:, [0, 1]], kept[:, [1, 2]]])
    graph = sparse.coo_array((np.ones(len(edges), bool), edges.T), shape=(len(flat),) * 2)
    _, piece = connected_components(graph, directed=False)
    largest = np.bincount(piece[kept[:, 0]]).argmax()
    whole: NDArray[np.int32] = kept[piece[kept[:, 0]] == largest]
    return whole


def _edge_lengths(points: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Return [triangle, edge]."""
    corners = points[triangles]
    return np.asarray(np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2))


def upright(hemisphere: Hemisphere) -> Hemisphere:
    """Turn a flatmap so that the front is outward and the top is up.

    Flattening leaves a patch turned at random, and possibly with its inside
    facing the reader. The outside is where triangles are counter-clockwise;
    the turn is the one that brings the flat vertices closest to the view of
    the hemisphere from its side (orthogonal Procrustes problem in the plane).
    """
    flat = hemisphere.flat.astype(float)
    first, second, third = (flat[hemisphere.flat_triangles[:, corner]] for corner in range(3))
    (ax, ay), (bx, by) = (second - first).T, (third - first).T
    if np.median(ax * by - ay * bx) < 0:
        flat[:, 0] *= -1
    shown = np.unique(hemisphere.flat_triangles)
    place = flat[shown] - flat[shown].mean(axis=0)
    middle = (hemisphere.white[shown] + hemisphere.pial[shown]) / 2
    side_view = middle[:, 1:] * ([-1, 1] if hemisphere.side == "lh" else [1, 1])
    overlap = place.T @ (side_view - side_view.mean(axis=0))
    turn = np.arctan2(overlap[0, 1] - overlap[1, 0], overlap[0, 0] + overlap[1, 1])
    rotation = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    return replace(hemisphere, flat=(flat @ rotation).astype(np.float32))


def side_by_side(left: Hemisphere, right: Hemisphere) -> tuple[Hemisphere, Hemisphere]:
    """Move two flatmaps so that they meet at x = 0, at one height."""
    return _moved(left), _moved(right)


def _moved(hemisphere: Hemisphere) -> Hemisphere:
    shown = np.unique(hemisphere.flat_triangles)
    low, high = hemisphere.flat[shown].min(axis=0), hemisphere.flat[shown].max(axis=0)
    inner = high[0] if hemisphere.side == "lh" else low[0]
    origin = np.array([inner, (low[1] + high[1]) / 2], np.float32)
    return replace(hemisphere, flat=hemisphere.flat - origin)
