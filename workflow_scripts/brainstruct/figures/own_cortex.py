"""Flatmaps of a subject from surfaces of the data set: on its own cortex, or on fsaverage5."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainstruct.brain.freesurfer import read_patch, read_surface, read_vertex_values
from brainstruct.datasets.interface import DataSet, HemisphereFiles
from brainstruct.datasets.reading import SIDES
from brainstruct.errors import InputError
from brainstruct.figures.fsaverage import N_VERTICES, NAME, load_fsaverage5
from brainstruct.figures.hemisphere import Hemisphere, cut_out, side_by_side, upright
from brainstruct.figures.surface import Flatmap
from brainstruct.figures.surface_flatmap import flatmap_of_surface

Pair = tuple[Hemisphere, Hemisphere]


def own_flatmap(
    dataset: DataSet, subject: str, patch: str, mask: NDArray[np.bool_], height: int
) -> tuple[Pair, Flatmap]:
    """Build a flatmap from a subject's FreeSurfer surfaces and flat patches.

    Patches are ``?h.<patch>.flat.patch.3d``; `mask` [i, j, k] are the analysed voxels, to check the
    transforms with; `height` is in rows of pixels. Returns both hemispheres, flat side by side, and
    the flatmap.

    Raises
    ------
    InputError
        If a file is missing or damaged, files of a hemisphere disagree in their vertices, or
        the transforms belong to another grid.
    """
    cortex = dataset.cortex_files(subject, patch)
    left, right = side_by_side(*map(_read_hemisphere, cortex))
    voxels = dataset.reader().vertices(subject, mask)
    for half, files, places in zip((left, right), cortex, voxels, strict=True):
        if places.shape[1] != len(half.white):
            raise InputError(
                files.depths[0],
                f"has {places.shape[1]} vertices, the {half.side} surfaces have {len(half.white)}",
                "Take surfaces and transforms from one copy of the data set",
            )
    flatmap = flatmap_of_surface(left, right, np.concatenate(voxels, axis=1), mask.shape, height)
    return (left, right), flatmap


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
    left, right = side_by_side(*load_fsaverage5())
    vertices, note = np.concatenate(carried, axis=1), f"shown on {NAME}"
    flatmap = flatmap_of_surface(left, right, vertices, mask.shape, height, note)
    return (left, right), flatmap


def _read_hemisphere(files: HemisphereFiles) -> Hemisphere:
    white, triangles = read_surface(files.white)
    count = len(white)
    pial, _ = read_surface(files.pial, count)
    inflated, _ = read_surface(files.inflated, count)
    flat = read_patch(files.patch, count)
    shown = cut_out(triangles, flat, (white + pial) / 2)
    if not len(shown):
        raise InputError(
            files.patch,
            f"flattens no whole triangle of {files.white.name}",
            "Take the patch and the surfaces from one reconstruction",
        )
    curvature = read_vertex_values(files.curv, count)
    return upright(
        Hemisphere(files.side, white, pial, inflated, triangles, flat, shown, -curvature)
    )
