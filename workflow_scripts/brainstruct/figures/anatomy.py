"""Regions, cortex and hemispheres of a pycortex subject, voxel by voxel."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brainstruct.brain.labels import names_as_text
from brainstruct.errors import InputError
from brainstruct.figures.cortex_store import private_cache, pycortex, require_subject

CORTEX_DEPTH = 8.0
"""Distance from the middle of the cortex that pycortex's mask ``thick`` reaches, mm."""


def sample_anatomy(subject: str, transform: str, rois: Sequence[str] | None = None) -> xr.Dataset:
    """Sample a subject's anatomy on the voxels of a transform.

    Regions come from the outlines drawn in the subject's ``overlays.svg``; a
    voxel belongs to the region of the nearest vertex of mid-cortex that the
    flatmap shows. No program outside Python is needed.

    Parameters
    ----------
    subject, transform : str
        Names in the store given to `brainstruct.figures.cortex_store.use_store`.
    rois : sequence of str, optional
        Regions; by default all that are drawn.

    Returns
    -------
    xarray.Dataset
        Dimensions (i, j, k), the axes of the Natural Scenes Dataset, which are
        the reverse of pycortex's (z, y, x):

        ``label`` int16
            Region, 0 for none; the attribute ``names`` is JSON, number -> name.
            Where regions overlap, the one with fewer vertices wins, then the
            later one. Labels lie within ``ribbon``.
        ``cortex`` bool
            Within 8 mm of mid-cortex (pycortex's mask ``thick``).
        ``ribbon`` bool
            Within the local cortical thickness of mid-cortex (pycortex's mask
            ``cortical``); without white and pial surfaces within 2 mm
            (``thin``).
        ``hemisphere`` int8
            0 left, 1 right: that of the nearest vertex; beyond ``cortex``, -1.

    Raises
    ------
    InputError
        If the subject or transform is missing, or a region is not drawn.
    """
    folder = require_subject(subject, transform)
    cortex = pycortex()
    (left, _), (right, _) = cortex.db.get_surf(subject, "fiducial")
    middle = np.concatenate([left, right])
    reference = cortex.db.get_xfm(subject, transform)
    depth, rows, columns = reference.shape
    voxels = np.indices((columns, rows, depth)).reshape(3, -1).T  # x, y, z = i, j, k
    position = reference.inv(voxels)  # mm

    distance, nearest = cKDTree(middle).query(position, distance_upper_bound=CORTEX_DEPTH)
    in_cortex = distance < CORTEX_DEPTH
    in_ribbon = np.zeros_like(in_cortex)
    in_ribbon[in_cortex] = distance[in_cortex] <= _reach(subject, len(middle))[nearest[in_cortex]]
    hemisphere = np.where(in_cortex, nearest >= len(left), -1)

    drawn = _region_vertices(subject) if (folder / "overlays.svg").is_file() else {}
    names = list(drawn) if rois is None else list(rois)
    absent = [name for name in names if name not in drawn]
    if absent:
        raise InputError(
            folder / "overlays.svg",
            f"draws no {', '.join(absent)}",
            f"Choose among {', '.join(drawn) or 'none: the file is missing or empty'}",
        )
    labels = np.zeros(len(voxels), np.int16)
    if names:
        flat = _flat_vertices(subject)  # those on cuts have no place on the flatmap
        _, on_flat = cKDTree(middle[flat]).query(position[in_ribbon])
        labels[in_ribbon] = _vertex_labels(len(middle), [drawn[name] for name in names])[
            flat[on_flat]
        ]

    def volume(values: NDArray[np.generic], dtype: type) -> tuple[list[str], NDArray[np.generic]]:
        return ["i", "j", "k"], values.reshape(columns, rows, depth).astype(dtype)

    sampled = xr.Dataset(
        {
            "label": volume(labels, np.int16),
            "cortex": volume(in_cortex, bool),
            "ribbon": volume(in_ribbon, bool),
            "hemisphere": volume(hemisphere, np.int8),
        },
        coords={"i": np.arange(columns), "j": np.arange(rows), "k": np.arange(depth)},
    )
    sampled["label"].attrs["names"] = names_as_text(dict(enumerate(names, start=1)))
    return sampled


def _region_vertices(subject: str) -> dict[str, NDArray[np.int64]]:
    with private_cache(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Requested layer in svg file")
        outlines = pycortex().db.get_overlay(subject).rois
        found = {name: np.asarray(outlines.get_mask(name), int) for name in outlines.shapes}
    return {name: vertices for name, vertices in found.items() if vertices.size}


def _flat_vertices(subject: str) -> NDArray[np.int64]:
    _, triangles = pycortex().db.get_surf(subject, "flat", merge=True)
    vertices: NDArray[np.int64] = np.unique(triangles)
    return vertices


def _vertex_labels(count: int, regions: Sequence[NDArray[np.int64]]) -> NDArray[np.int16]:
    labels = np.zeros(count, np.int16)
    by_size = sorted(range(len(regions)), key=lambda index: (-regions[index].size, index))
    for index in by_size:  # later assignments win: the smaller, then the later region
        labels[regions[index]] = index + 1
    return labels


def _reach(subject: str, count: int) -> NDArray[np.float64]:
    """Return how far from mid-cortex the ribbon reaches at each vertex, mm."""
    surfaces = pycortex().db.get_paths(subject)["surfs"]
    if not {"pia", "wm"} <= set(surfaces):
        return np.full(count, 2.0)
    pial, _ = pycortex().db.get_surf(subject, "pia", merge=True)
    white, _ = pycortex().db.get_surf(subject, "wm", merge=True)
    thickness: NDArray[np.float64] = np.linalg.norm(pial - white, axis=1)
    return thickness
