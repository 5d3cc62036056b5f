"""Hemispheres are checked and laid out here, wherever their surfaces come from."""

from dataclasses import replace

import numpy as np

from brainstruct.brain.hemisphere import Hemisphere, Pair
from brainstruct.errors import InputError
from brainstruct.figures.patch import cut_out, fault_of, strays_from_folds

_TOGETHER = "Take all files of a hemisphere from one reconstruction"
_FOLDS = (
    "Take the curvature of this surface; in a filestore it is positive on gyri, and found anew if "
    "the file is not there"
)


def lay_out(left: Hemisphere, right: Hemisphere) -> Pair:
    """Check two hemispheres, cut their patches out, turn them upright and lay them side by side.

    An `InputError` if a patch cannot be drawn as a whole, or files do not belong together.
    """
    if left.white[:, 0].mean() > right.white[:, 0].mean():
        raise InputError(
            left.file("white"),
            f"lies to the right of {right.file('white').name}: x is not to the right, or the "
            "hemispheres are swapped",
            "Give each hemisphere's files the names of its side",
        )
    return side_by_side(*(upright(checked(half)) for half in (left, right)))


def checked(half: Hemisphere) -> Hemisphere:
    """Check a hemisphere, and cut its patch out.

    An `InputError` if it cannot be drawn as a whole, or it or the curvature are of another surface.
    """
    first, second, third = ((half.white - half.white.mean(axis=0))[c] for c in half.triangles.T)
    if np.vdot(first, np.cross(second, third)) < 0:  # clockwise: the volume inside is negative
        around = {name: getattr(half, name)[:, ::-1] for name in ("triangles", "flat_triangles")}
        half = replace(half, **around)
    shown = cut_out(half.flat_triangles, half.flat, half.middle)
    half = replace(half, flat_triangles=shown)
    if not len(shown):
        fault = f"flattens no whole triangle of {half.file('white').name}"
        raise InputError(half.file("flat"), fault, _TOGETHER)
    if fault := fault_of(shown, half.flat, half.middle):
        raise InputError(half.file("flat"), fault, "Cut and flatten the surface again")
    if half.curvature is not None:
        fault = strays_from_folds(half.middle, half.triangles, half.curvature)
        if fault:
            raise InputError(half.file("curvature"), fault, _FOLDS)
    return half


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
    side_view = hemisphere.middle[shown, 1:] * ([-1, 1] if hemisphere.side == "lh" else [1, 1])
    overlap = place.T @ (side_view - side_view.mean(axis=0))
    turn = np.arctan2(overlap[0, 1] - overlap[1, 0], overlap[0, 0] + overlap[1, 1])
    rotation = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    return replace(hemisphere, flat=(flat @ rotation).astype(np.float32))


def side_by_side(left: Hemisphere, right: Hemisphere) -> Pair:
    """Move two flatmaps so that they meet at x = 0, at one height."""
    return _moved(left), _moved(right)


def _moved(hemisphere: Hemisphere) -> Hemisphere:
    shown = np.unique(hemisphere.flat_triangles)
    low, high = hemisphere.flat[shown].min(axis=0), hemisphere.flat[shown].max(axis=0)
    inner = high[0] if hemisphere.side == "lh" else low[0]
    origin = np.array([inner, (low[1] + high[1]) / 2], np.float32)
    return replace(hemisphere, flat=hemisphere.flat - origin)
