"""How far apart colours look, also to people with a colour vision deficiency."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from brainstruct.store.resources import table_beside

Array = NDArray[np.float64]

_VISION: Array = np.array(list(table_beside(__file__, "vision.toml").values()), float)
# Linear sRGB to CIE XYZ relative to the D65 white point (IEC 61966-2-1).
_TO_XYZ: Array = np.array(
    [[0.412456, 0.357576, 0.180437], [0.212673, 0.715152, 0.072175], [0.019334, 0.119192, 0.950304]]
) / np.array([[0.950470], [1.0], [1.088830]])
_STEPS = 9


def appearances(colours: Sequence[str]) -> Array:
    """Return how colours look to four kinds of eyes, as CIELAB (D65): [vision, colour, 3].

    Vision is normal, protanopic, deuteranopic, tritanopic.
    """
    rgb = np.array([to_rgb(colour) for colour in colours], float).reshape(-1, 3)
    return np.stack([_cielab(np.clip(_linear(rgb) @ vision.T, 0, 1)) for vision in _VISION])


def further_colours(taken: Sequence[str], count: int) -> list[str]:
    """Choose colours that are far from those taken and from each other.

    Each next colour is the one of a regular RGB grid whose smallest CIELAB distance to all colours
    so far, over all four kinds of eyes, is largest (farthest-point traversal); nothing is random.
    The background is among those taken.
    """
    candidates = [to_hex(rgb) for rgb in product(np.linspace(0, 1, _STEPS), repeat=3)]
    looks = appearances(candidates)
    nearest = np.full(len(candidates), np.inf)
    used = list(taken)
    for number in range(len(taken) + count):
        if number == len(used):
            used.append(candidates[int(nearest.argmax())])
        distances = np.linalg.norm(looks - appearances([used[number]]), axis=-1)
        nearest = np.minimum(nearest, distances.min(axis=0))
    return used[len(taken) :]


def ink_on(colour: str) -> str:
    """Return the ink, black or white, that reads better on a colour (WCAG 2.2 contrast)."""
    luminance = float(_linear(np.array(to_rgb(colour))) @ np.array([0.2126, 0.7152, 0.0722]))
    return "black" if luminance > 0.179 else "white"


def _linear(rgb: Array) -> Array:
    """Linear sRGB of sRGB."""
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _cielab(linear: Array) -> Array:
    """CIELAB of linear sRGB."""
    xyz = linear @ _TO_XYZ.T
    curve = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = curve.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
