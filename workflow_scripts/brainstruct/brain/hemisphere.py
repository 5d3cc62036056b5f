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
    """Surfaces of one hemisphere, which share vertices."""

    side: Side
    white: NDArray[np.float32]  # [vertex, (x, y, z)], mm, to the right, front and top
    pial: NDArray[np.float32]  # the same
    inflated: NDArray[np.float32] | None  # the same
    triangles: NDArray[np.int32]  # [triangle, corner]: counter-clockwise as seen from outside
    flat: NDArray[np.float32]  # [vertex, (x, y)], mm; only vertices of `flat_triangles` count
    flat_triangles: NDArray[np.int32]  # those that are on the flatmap
    curvature: NDArray[np.float32] | None  # [vertex], positive on gyri; `None`: not computed yet
    # ``white``, ``flat`` and ``curvature`` -> the files they come from, for messages.
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def middle(self) -> NDArray[np.float32]:
        """Mid-cortex, [vertex, (x, y, z)]."""
        return np.asarray((self.white + self.pial) / np.float32(2))

    def file(self, name: str) -> Path:
        """Return where a part comes from."""
        return self.files.get(name, Path(f"{self.side}.{name}"))


Pair = tuple[Hemisphere, Hemisphere]
"""Left and right."""
