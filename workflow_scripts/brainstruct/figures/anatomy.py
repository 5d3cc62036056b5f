"""Regions, cortex and hemispheres of a pycortex subject, voxel by voxel."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brainstruct.brain.labels import names_as_text
from brainstruct.errors import InputError
from brainstruct.figures.cortex_store import private_cache, pycortex

CORTEX_DEPTH = 8.0
"""Distance from the middle of the cortex that pycortex's mask ``thick`` reaches, mm."""


def sample_anatomy(subject: str, transform: str, rois: Sequence[str] | None = None) -> xr.Dataset:
    """Sample a subject's anatomy on the voxels of a transform of the store in use.

    Regions (by default all) come from the outlines drawn in the subject's ``overlays.svg``, or an
    `InputError` says that one is not drawn; a voxel belongs to the region of the nearest vertex of
    mid-cortex that the flatmap shows. No program outside Python is needed.

    Returns
    -------
    xarray.Dataset
        Dimensions (i, j, k), the axes of the Natural Scenes Dataset, which are the reverse of
        pycortex's (z, y, x). ``label`` int16: region, 0 for none; the attribute ``names`` is
        JSON, number -> name. Where regions overlap, the one with fewer vertices wins, then the
        later one. Labels lie within ``ribbon``. ``cortex`` bool: within 8 mm of mid-cortex
        (pycortex's mask ``thick``). ``ribbon`` bool: within the local cortical thickness of
        mid-cortex (pycortex's mask ``cortical``); without white and pial surfaces within 2 mm
        (``thin``). ``hemisphere`` int8: 0 left, 1 right, that of the nearest vertex; beyond
        ``cortex``, -1.
    """
    database = pycortex().db
    (left, _), (right, _) = database.get_surf(subject, "fiducial")
    middle = np.concatenate([left, right])
    reference = database.get_xfm(subject, transform)
    shape = reference.shape[::-1]
    voxels = np.indices(shape).reshape(3, -1).T  # x, y, z = i, j, k
    position = reference.inv(voxels)  # mm

    distance, nearest = cKDTree(middle).query(position, distance_upper_bound=CORTEX_DEPTH)
    in_cortex = distance < CORTEX_DEPTH
    in_ribbon = np.zeros_like(in_cortex)
    in_ribbon[in_cortex] = distance[in_cortex] <= _reach(subject, len(middle))[nearest[in_cortex]]
    hemisphere = np.where(in_cortex, nearest >= len(left), -1).astype(np.int8)
    regions = _regions(subject, Path(database.filestore) / subject / "overlays.svg", rois)
    label = np.zeros(len(voxels), np.int16)
    if regions:
        _, triangles = database.get_surf(subject, "flat", merge=True)
        flat = np.unique(triangles)  # vertices on cuts have no place on the flatmap
        _, on_flat = cKDTree(middle[flat]).query(position[in_ribbon])
        label[in_ribbon] = _vertex_labels(len(middle), list(regions.values()))[flat[on_flat]]
    volumes = {"label": label, "cortex": in_cortex, "ribbon": in_ribbon, "hemisphere": hemisphere}
    sampled = xr.Dataset(
        {name: (("i", "j", "k"), values.reshape(shape)) for name, values in volumes.items()},
        coords={axis: np.arange(length) for axis, length in zip("ijk", shape, strict=True)},
    )
    names = {str(number): name for number, name in enumerate(regions, start=1)}
    sampled["label"].attrs["names"] = names_as_text(names)
    return sampled


def _regions(
    subject: str, file: Path, wanted: Sequence[str] | None
) -> dict[str, NDArray[np.int64]]:
    """Vertices of the regions that are drawn in a file, or of those wanted."""
    drawn = {}
    if file.is_file():
        with private_cache(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Requested layer in svg file")
            outlines = pycortex().db.get_overlay(subject).rois
            found = {name: np.asarray(outlines.get_mask(name), int) for name in outlines.shapes}
        drawn = {name: vertices for name, vertices in found.items() if vertices.size}
    absent = [name for name in wanted or () if name not in drawn]
    if absent:
        raise InputError(
            file,
            f"draws no {', '.join(absent)}",
            f"Choose among {', '.join(drawn) or 'none: the file is missing or empty'}",
        )
    return drawn if wanted is None else {name: drawn[name] for name in wanted}


def _vertex_labels(count: int, regions: Sequence[NDArray[np.int64]]) -> NDArray[np.int16]:
    labels = np.zeros(count, np.int16)
    by_size = sorted(range(len(regions)), key=lambda index: (-regions[index].size, index))
    for index in by_size:  # later assignments win: the smaller, then the later region
        labels[regions[index]] = index + 1
    return labels


def _reach(subject: str, count: int) -> NDArray[np.float64]:
    """Return how far from mid-cortex the ribbon reaches at each vertex, mm."""
    database = pycortex().db
    if not {"pia", "wm"} <= set(database.get_paths(subject)["surfs"]):
        return np.full(count, 2.0)
    pial, white = (database.get_surf(subject, name, merge=True)[0] for name in ("pia", "wm"))
    return np.asarray(np.linalg.norm(pial - white, axis=1))
