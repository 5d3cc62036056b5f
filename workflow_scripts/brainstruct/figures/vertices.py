"""Where the vertices of a subject of the store in use lie in its functional volumes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainstruct.figures.cortex_store import pycortex, require_subject
from brainstruct.figures.flatmap import DEPTHS
from brainstruct.figures.surface import check_volume


def store_places(
    subject: str, transform: str, volume_shape: tuple[int, ...]
) -> list[NDArray[np.float64]]:
    """Read the vertices of both hemispheres, at the depths that flatmaps are made of.

    `volume_shape` are the voxels along i, j and k that the transform must be for. Returns [depth,
    vertex, (i, j, k)], voxels from 0, left and right.

    Raises
    ------
    InputError
        If the store lacks the subject or the transform, or the transform is for volumes of
        another shape.
    """
    require_subject(subject, transform)
    database = pycortex().db
    coordinates = database.get_xfm(subject, transform, xfmtype="coord")
    check_volume([int(length) for length in coordinates.shape[::-1]], volume_shape, transform)
    shares = np.linspace(0, 1, DEPTHS + 2)[1:-1]
    found = []
    for side in ("lh", "rh"):
        white, pial = (database.get_surf(subject, name, side)[0] for name in ("wm", "pia"))
        depths = [coordinates(pial * share + white * (1 - share)) for share in shares]
        found.append(np.stack(depths))
    return found
