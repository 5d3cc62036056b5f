"""One hemisphere of a cortex, with the piece of it that has been flattened.

Wherever surfaces come from, they become two of these, are checked, and are laid out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainstruct.errors import InputError
from brainstruct.figures.patch import cut_out, fault_of, strays_from_folds

Side = Literal["lh", "rh"]

_TOGETHER = "Take all files of a hemisphere from one reconstruction"
_FOLDS = (
    "Take the curvature of this surface; in a filestore it is positive on gyri, and found anew if "
    "the file is not there"
)


@dataclass(frozen=True)
class Hemisphere:
    """Surfaces of one hemisphere, which share vertices.

    Attributes
    ----------
    white, pial, inflated : numpy.ndarray
        [vertex, (x, y, z)], mm, to the right, front and top; `inflated` may be `None`.
    triangles, flat_triangles : numpy.ndarray
        [triangle, corner]: vertices, counter-clockwise as seen from outside; all, and those
        that are on the flatmap.
    flat : numpy.ndarray
        [vertex, (x, y)], mm; only vertices of `flat_triangles` count.
    curvature : numpy.ndarray or None
        [vertex], positive on gyri; `None` as long as nobody has computed it.
    files : mapping
        ``white``, ``flat`` and ``curvature`` -> the files they come from, for messages.
    """

    side: Side
    white: NDArray[np.float32]
    pial: NDArray[np.float32]
    inflated: NDArray[np.float32] | None
    triangles: NDArray[np.int32]
    flat: NDArray[np.float32]
    flat_triangles: NDArray[np.int32]
    curvature: NDArray[np.float32] | None
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def middle(self) -> NDArray[np.float32]:
        """Mid-cortex, [vertex, (x, y, z)]."""
        middle: NDArray[np.float32] = (self.white + self.pial) / np.float32(2)
        return middle

    def file(self, name: str) -> Path:
        """Return where a part comes from."""
        return self.files.get(name, Path(f"{self.side}.{name}"))


Pair = tuple[Hemisphere, Hemisphere]
"""Left and right."""


def lay_out(left: Hemisphere, right: Hemisphere) -> Pair:
    """Check two hemispheres, cut their patches out, turn them upright and lay them side by side.

    Raises
    ------
    InputError
        If a patch cannot be drawn as a whole, or files do not belong together.
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

    Raises
    ------
    InputError
        If the patch cannot be drawn as a whole, or it or the curvature are of another surface.
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
