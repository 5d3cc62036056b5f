"""Flatmaps of surfaces whose vertices are known to lie in certain voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainstruct.brain.sampler import sampler_at
from brainstruct.figures.hemisphere import Hemisphere
from brainstruct.figures.raster import rasterise
from brainstruct.figures.surface import Flatmap


def flatmap_of_surface(
    left: Hemisphere,
    right: Hemisphere,
    voxels: NDArray[np.floating],
    volume_shape: Sequence[int],
    height: int,
    note: str = "",
) -> Flatmap:
    """Build a flatmap from flat surfaces and the places of their vertices.

    A pixel's place in the volume is interpolated between the corners of its
    triangle, depth by depth, and the voxel there is the pixel's: as pycortex
    does with an affine transform, and right for any alignment.

    Parameters
    ----------
    left, right : Hemisphere
        Flatmaps that lie side by side.
    voxels : numpy.ndarray
        [depth, vertex, (i, j, k)]: places in the volume, of the left
        hemisphere's vertices and then the right one's; NaN where unknown.
    volume_shape : sequence of int
        Voxels along i, j and k.
    height : int
        Rows of pixels.
    note : str
        What a reader of the figure must know about the cortex.
    """
    count = len(left.flat)
    raster = rasterise(
        np.concatenate([left.flat, right.flat]),
        np.concatenate([left.flat_triangles, right.flat_triangles + count]),
        height,
    )
    places = np.stack([raster.interpolate(depth) for depth in voxels])
    under = sampler_at(places, volume_shape)
    curvature = np.full(raster.inside.shape, np.nan, np.float32)
    curvature[raster.inside] = raster.interpolate(np.concatenate([left.curvature, right.curvature]))
    return Flatmap(
        sampler=under.shares,
        inside=raster.inside,
        extent=raster.extent,
        curvature=curvature,
        volume_shape=under.volume_shape,
        note=note,
    )
