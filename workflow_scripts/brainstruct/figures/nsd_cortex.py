"""Flatmaps of a subject of the NSD: on its own cortex, or on fsaverage5."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainstruct.datasets.nsd.layout import HEMISPHERES, Layout
from brainstruct.datasets.nsd.surfaces import read_patch, read_surface, read_vertex_values
from brainstruct.datasets.nsd.transforms import read_fsaverage, read_places
from brainstruct.errors import InputError
from brainstruct.figures.fsaverage import N_VERTICES, NAME, load_fsaverage5
from brainstruct.figures.hemisphere import Hemisphere, Side, cut_out, side_by_side, upright
from brainstruct.figures.surface import Flatmap
from brainstruct.figures.surface_flatmap import flatmap_of_surface

Pair = tuple[Hemisphere, Hemisphere]


def own_flatmap(
    layout: Layout, subject: str, patch: str, mask: NDArray[np.bool_], height: int
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
    left, right = side_by_side(
        *(_read_hemisphere(layout, subject, side, patch) for side in HEMISPHERES)
    )
    voxels = read_places(layout, subject, mask)
    for half, files in zip((left, right), voxels, strict=True):
        if files.shape[1] != len(half.white):
            raise InputError(
                layout.depth_files(subject, half.side)[0],
                f"has {files.shape[1]} vertices, the {half.side} surfaces have {len(half.white)}",
                "Take surfaces and transforms from one copy of the data set",
            )
    flatmap = flatmap_of_surface(left, right, np.concatenate(voxels, axis=1), mask.shape, height)
    return (left, right), flatmap


def average_flatmap(
    layout: Layout, subject: str, mask: NDArray[np.bool_], height: int
) -> tuple[Pair, Flatmap]:
    """Build a flatmap that shows a subject's voxels on fsaverage5.

    Each vertex of fsaverage5 is the subject's vertex that surface-based registration found for it;
    no surface of the subject is needed. All else as for `own_flatmap`.
    """
    voxels = read_places(layout, subject, mask)
    carried = []
    for side, depths in zip(HEMISPHERES, voxels, strict=True):
        index = read_fsaverage(layout, subject, side, depths.shape[1])
        carried.append(depths[:, index[:N_VERTICES]])
    left, right = side_by_side(*load_fsaverage5())
    vertices, note = np.concatenate(carried, axis=1), f"shown on {NAME}"
    flatmap = flatmap_of_surface(left, right, vertices, mask.shape, height, note)
    return (left, right), flatmap


def _read_hemisphere(layout: Layout, subject: str, side: Side, patch: str) -> Hemisphere:
    white_file = layout.white_file(subject, side)
    white, triangles = read_surface(white_file)
    count = len(white)
    pial, _ = read_surface(layout.surface_file(subject, side, "pial"), count)
    inflated, _ = read_surface(layout.surface_file(subject, side, "inflated"), count)
    patch_file = layout.patch_file(subject, side, patch)
    flat = read_patch(patch_file, count)
    shown = cut_out(triangles, flat, (white + pial) / 2)
    if not len(shown):
        raise InputError(
            patch_file,
            f"flattens no whole triangle of {white_file.name}",
            "Take the patch and the surfaces from one reconstruction",
        )
    curvature = read_vertex_values(layout.surface_file(subject, side, "curv"), count)
    return upright(Hemisphere(side, white, pial, inflated, triangles, flat, shown, -curvature))
