"""Flatmaps of a subject: on its own cortex, from wherever, or on fsaverage5."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainstruct.brain.hemisphere import Hemisphere, Pair
from brainstruct.brain.sampler import sampler_at
from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.reading import SIDES
from brainstruct.errors import InputError
from brainstruct.figures.fsaverage import N_VERTICES, load_fsaverage5
from brainstruct.figures.halves import Alignment, read_own
from brainstruct.figures.hemisphere import lay_out
from brainstruct.figures.raster import rasterise
from brainstruct.figures.store_names import FSAVERAGE
from brainstruct.figures.surface import Flatmap


def own_flatmap(
    dataset: DataSet, subject: str, patch: str, mask: NDArray[np.bool_], height: int
) -> tuple[Pair, Flatmap]:
    """Build a flatmap from a subject's FreeSurfer surfaces and flat patches.

    Patches are ``?h.<patch>.flat.patch.3d``; `mask` [i, j, k] are the analysed voxels, to check the
    transforms with; `height` is in rows of pixels. Returns both hemispheres, flat side by side, and
    the flatmap. An `InputError` if files of a hemisphere disagree in their vertices, or the
    transforms belong to another grid.
    """
    cortex = dataset.cortex_files(subject, patch)
    pair = read_own(cortex)
    voxels = dataset.reader().vertices(subject, mask)
    for half, files, places in zip(pair, cortex, voxels, strict=True):
        if places.shape[1] != len(half.white):
            raise InputError(
                files.depths[0],
                f"has {places.shape[1]} vertices, the {half.side} surfaces have {len(half.white)}",
                "Take surfaces and transforms from one copy of the data set",
            )
    return pair, flatmap_of_surface(*pair, np.concatenate(voxels, axis=1), mask.shape, height)


def average_flatmap(
    dataset: DataSet, subject: str, mask: NDArray[np.bool_], height: int
) -> tuple[Pair, Flatmap]:
    """Build a flatmap that shows a subject's voxels on fsaverage5.

    Each vertex of fsaverage5 is the subject's vertex that surface-based registration found for it;
    no surface of the subject is needed. All else as for `own_flatmap`.
    """
    reader = dataset.reader()
    voxels = reader.vertices(subject, mask)
    carried = []
    for side, depths in zip(SIDES, voxels, strict=True):
        index = reader.average_vertices(subject, side, depths.shape[1])
        carried.append(depths[:, index[:N_VERTICES]])
    pair = lay_out(*load_fsaverage5())
    vertices, note = np.concatenate(carried, axis=1), f"shown on {FSAVERAGE}"
    return pair, flatmap_of_surface(*pair, vertices, mask.shape, height, note)


def stored_flatmap(stored: Pair, alignment: Alignment, height: int) -> Flatmap:
    """Build a flatmap of a subject of a filestore, as it was read; see `lay_out`."""
    pair = lay_out(*stored)
    voxels = np.concatenate([alignment.depths(half) for half in pair], axis=1)
    return flatmap_of_surface(*pair, voxels, alignment.shape, height)


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
