"""Flatmaps of surfaces whose vertices are known to lie in certain voxels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainstruct.brain.hemisphere import Hemisphere
from brainstruct.brain.sampler import sampler_at
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
    """Build a flatmap from flat surfaces, side by side, and the places of their vertices.

    A pixel's place in the volume is interpolated between the corners of its triangle, depth by
    depth, and the voxel there is the pixel's: as pycortex does with an affine transform, and right
    for any alignment.

    `voxels` [depth, vertex, (i, j, k)] are places in the volume, of the left hemisphere's vertices
    and then the right one's; NaN where unknown. `note` is as in `Flatmap`.
    """
    triangles = np.concatenate([left.flat_triangles, right.flat_triangles + len(left.flat)])
    flat = np.concatenate([left.flat, right.flat])
    raster = rasterise(flat, triangles, height)
    under = sampler_at(np.stack([raster.interpolate(depth) for depth in voxels]), volume_shape)
    places = np.full_like(flat, np.nan)
    places[np.unique(triangles)] = flat[np.unique(triangles)]
    curvature = np.full(raster.inside.shape, np.nan, np.float32)
    curvature[raster.inside] = raster.interpolate(np.concatenate([left.curvature, right.curvature]))
    return Flatmap(
        sampler=under.shares,
        inside=raster.inside,
        extent=raster.extent,
        curvature=curvature,
        volume_shape=under.volume_shape,
        note=note,
        vertices=places,
    )
