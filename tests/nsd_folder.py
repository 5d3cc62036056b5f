"""A subject's surfaces and transforms as the NSD lays them out, made from any two hemispheres."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.freesurfer import write_geometry, write_morph_data
from scipy.ndimage import binary_dilation

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.transforms import FSAVERAGE_VERTICES

TURN = np.radians(115)
"""By which patches are turned: flattening leaves them at any angle."""


def write_surfaces(layout: Layout, subject: str, half, turn: float = TURN) -> None:
    """Write ``surf/`` of one hemisphere, with its patch turned and moved."""

    def path(name: str) -> Path:
        found = layout.surface_file(subject, half.side, name)
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    for name in ("white", "pial", "inflated"):
        write_geometry(path(name), getattr(half, name), half.triangles)
    write_morph_data(path("curv"), -half.curvature)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    write_patch(path("full.flat.patch.3d"), half.flat @ rotation.T + [30, -12], half.flat_triangles)


def write_patch(path: Path, flat: np.ndarray, triangles: np.ndarray) -> None:
    """Write a patch; vertices at which fewer triangles than edges meet are its border."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, count = np.unique(edges, axis=0, return_counts=True)
    border = np.unique(edges[count == 1])
    vertex = np.unique(triangles)
    rows = np.zeros(len(vertex), [("vertex", ">i4"), ("xyz", ">f4", 3)])
    rows["vertex"] = np.where(np.isin(vertex, border), -(vertex + 1), vertex + 1)
    rows["xyz"][:, :2] = flat[vertex]
    header = np.array([-1, len(vertex)], ">i4")
    path.write_bytes(header.tobytes() + rows.tobytes())


def write_depths(layout: Layout, subject: str, half, to_voxels) -> None:
    """Write where vertices lie in the volume; `to_voxels` turns mm into voxels from 0."""
    for depth, path in zip((0.75, 0.5, 0.25), layout.depth_files(subject, half.side), strict=True):
        middle = half.pial * depth + half.white * (1 - depth)
        write_mgz(path, to_voxels(middle) + 1)


def write_fsaverage_index(layout: Layout, subject: str, side: str, index: np.ndarray) -> None:
    """Write which vertex (from 0) belongs to each of fsaverage's first vertices."""
    whole = np.ones(FSAVERAGE_VERTICES)
    whole[: len(index)] = index + 1
    write_mgz(layout.fsaverage_file(subject, side), whole[:, None])


def write_mgz(path: Path, columns: np.ndarray) -> None:
    """Write [vertex, column] as MGZ: vertices, 1, 1, and columns if there are several."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.asarray(columns, np.float32)
    shape = (len(values), 1, 1, *values.shape[1:]) if values.shape[1] > 1 else (len(values), 1, 1)
    nib.save(nib.freesurfer.MGHImage(values.reshape(shape), np.eye(4)), path)


def write_mask(layout: Layout, subject: str, mask: np.ndarray) -> None:
    path = layout.roi_file(subject, "nsdgeneral")
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(mask.astype(np.float64), np.eye(4)), path)


def write_subject(layout: Layout, subject: str, pair, shape: tuple[int, int, int]) -> None:
    """Write everything for both routes from the data set: fsaverage5 as a subject.

    The brain is centred in a volume of 1.8 mm; the mask is cortex at the back.
    """
    points = np.concatenate([half.pial for half in pair])
    centre = (points.min(axis=0) + points.max(axis=0)) / 2

    def to_voxels(place):
        return (place - centre) / 1.8 + (np.array(shape) - 1) / 2

    mask = np.zeros(shape, bool)
    for half in pair:
        write_surfaces(layout, subject, half)
        write_depths(layout, subject, half, to_voxels)
        write_fsaverage_index(layout, subject, half.side, np.arange(len(half.white)))
        middle = (half.pial + half.white) / 2
        mask[tuple(np.rint(to_voxels(middle[middle[:, 1] < -30])).astype(int).T)] = True
    write_mask(layout, subject, binary_dilation(mask, iterations=2))
