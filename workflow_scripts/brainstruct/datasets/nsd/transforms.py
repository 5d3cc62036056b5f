"""Where the vertices of a subject's cortical surfaces lie in the functional volumes.

The data set's alignment of functional to anatomical images is not linear, so
it comes as coordinates, vertex by vertex. They count voxels from one, as
MATLAB does, and say 9999 where there are none.
"""

import os
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
from nibabel.freesurfer.mghformat import MGHImage
from scipy.spatial import cKDTree

from brainstruct.brain.images import open_image
from brainstruct.datasets.nsd import ids
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.volumes import AGAIN
from brainstruct.datasets.reading import SIDES, Side
from brainstruct.errors import InputError
from brainstruct.store.faults import reading

FSAVERAGE_VERTICES = 163842
"""Per hemisphere."""

MOST_VERTICES = 10_000_000
"""Of a hemisphere: more are a damaged header."""

OUTSIDE = 0.2
"""Largest share of vertices that may lie outside the volume: a scan may miss some cortex.

Coordinates of the 1-mm grid put 78 % outside a volume of 1.8 mm.
"""

NEAR = 3.0
"""How far from a vertex voxels of a mask of cortex lie, in voxels, at most."""

FAR = 0.5
"""Largest share of a mask's voxels that may lie farther away: it may hold more than cortex.

Coordinates of the 1.8-mm grid put 69 % of visual cortex farther away in a volume of 1 mm.
"""


def read_depths(layout: Layout, subject: str, hemisphere: Side) -> npt.NDArray[np.float32]:
    """Read where vertices lie in the functional volume at three depths of the cortex.

    Returns [depth, vertex, (i, j, k)], voxels from 0; NaN where there are none. An `InputError`
    if files disagree in their vertices.
    """
    files = layout.depth_files(subject, hemisphere)
    depths = [_read(path, 3) for path in files]
    for path, depth in zip(files, depths, strict=True):
        if len(depth) != len(depths[0]):
            raise InputError(
                path, f"has {len(depth)} vertices, {files[0].name} has {len(depths[0])}", AGAIN
            )
    voxels = ids.voxel_index(np.stack(depths)).astype(np.float32)
    voxels[np.isnan(voxels).any(axis=-1)] = np.nan
    return voxels


def read_fsaverage(
    layout: Layout, subject: str, hemisphere: Side, n_vertices: int
) -> npt.NDArray[np.int64]:
    """Read which vertex of a subject, from 0, belongs to each vertex of fsaverage.

    An `InputError` if the file is not of a hemisphere with `n_vertices`.
    """
    path = layout.fsaverage_file(subject, hemisphere)
    index = ids.vertex_from_number(_read(path, 1)[:, 0])
    if len(index) != FSAVERAGE_VERTICES:
        raise InputError(
            path, f"has {len(index)} vertices, fsaverage has {FSAVERAGE_VERTICES}", AGAIN
        )
    if index.min() < 0 or index.max() >= n_vertices:
        raise InputError(
            path,
            f"names vertices {index.min()} to {index.max()}, counted from 0, but "
            f"{layout.depth_files(subject, hemisphere)[0].name} has {n_vertices}",
            "Take all transforms from one copy of the data set",
        )
    return index


def read_places(
    layout: Layout, subject: str, mask: npt.NDArray[np.bool_]
) -> list[npt.NDArray[np.float32]]:
    """Read where vertices lie, as `read_depths`, of both `SIDES`; check them by `check_grid`.

    The mask [i, j, k] marks voxels of the cortex, some or all.
    """
    voxels = [read_depths(layout, subject, side) for side in SIDES]
    folder = layout.depth_files(subject, "lh")[0].parent
    check_grid(folder, np.concatenate(voxels, axis=1), mask)
    return voxels


def check_grid(
    folder: str | os.PathLike[str], voxels: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]
) -> None:
    """Check that coordinates of both hemispheres, from `read_depths`, belong to a volume.

    An `InputError` if too many vertices lie outside the volume, or many voxels of the mask
    far from any vertex: the grid is another one.
    """
    cure = "Take the transforms from the same copy of the data set as the volumes"
    known = voxels[np.isfinite(voxels).all(axis=-1)]
    rounded = np.rint(known).astype(np.int64)
    within = ((rounded >= 0) & (rounded < mask.shape)).all(axis=-1)
    size = " x ".join(str(length) for length in mask.shape)
    if not known.size:
        raise InputError(folder, "has no coordinates for any vertex", cure)
    if 1 - within.mean() > OUTSIDE:
        reach = ", ".join(str(length) for length in known.max(axis=0).round().astype(int))
        raise InputError(
            folder,
            f"puts {1 - within.mean():.0%} of the vertices outside the volume of {size} voxels "
            f"(they reach {reach}): the coordinates are of another grid",
            cure,
        )
    far = _share_beyond(np.unique(rounded[within], axis=0), mask)
    if far > FAR:
        raise InputError(
            folder,
            f"puts no vertex within {NEAR:g} voxels of {far:.0%} of the {int(mask.sum())} voxels "
            f"that are analysed, in a volume of {size}: the coordinates are of another grid",
            cure,
        )


def _share_beyond(points: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]) -> float:
    places = np.argwhere(mask)
    if not len(places):
        return 0.0
    distance, _ = cKDTree(points).query(places, distance_upper_bound=NEAR)
    return float(np.isinf(distance).mean())


def _read(path: Path, n_columns: int) -> npt.NDArray[np.float32]:
    """Read an MGZ file of vertices, [vertex, column]; its shape is looked at first."""
    stored = open_image(MGHImage, path, AGAIN).dataobj
    shape = tuple(int(length) for length in stored.shape)
    if prod(shape) != shape[0] * n_columns or shape[0] > MOST_VERTICES:
        fault = f"has shape {shape} instead of {n_columns} number(s) per vertex"
        raise InputError(path, fault, AGAIN)
    with reading(path, "MGZ file", AGAIN):
        return np.asarray(stored, np.float32).reshape(shape[0], n_columns)
