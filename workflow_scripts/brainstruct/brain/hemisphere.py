"""One hemisphere of a cortex, with the piece of it that has been flattened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Side = Literal["lh", "rh"]


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
