"""Writes a cortex as the NSD has one: surfaces, patches, and where vertices lie in the volumes."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel.freesurfer.io import write_geometry, write_morph_data
from nibabel.freesurfer.mghformat import MGHImage

from brainstruct.brain.hemisphere import Hemisphere, Side
from brainstruct.datasets.nsd import ids
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.store.publishing import publish

TURN = np.radians(115)
MOVE = (30, -12)
"""By which patches are turned and moved, mm: flattening leaves them at any angle and place."""

DEPTHS = (0.75, 0.5, 0.25)
"""Share of the pial surface in layerB1 to layerB3."""


def write_surfaces(
    layout: Layout, subject: str, half: Hemisphere, patch: str = "full", turn: float = TURN
) -> None:
    """Write a hemisphere in FreeSurfer's formats, with its flat patch."""
    for name in ("white", "pial", "inflated"):
        with publish(layout.surface_file(subject, half.side, name)) as path:
            # The stamp is usually the time.
            write_geometry(path, getattr(half, name), half.triangles, create_stamp="created")
    with publish(layout.surface_file(subject, half.side, "curv")) as path:
        write_morph_data(path, -half.curvature)  # type: ignore[operator]
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    with publish(layout.patch_file(subject, half.side, patch)) as path:
        write_patch(path, half.flat @ rotation.T + MOVE, half.flat_triangles)


def write_patch(path: Path, flat: npt.NDArray[Any], triangles: npt.NDArray[Any]) -> None:
    """Write a patch; vertices at which fewer triangles than edges meet are its border.

    `flat` [vertex, (x, y)] are places in mm; those of vertices in no triangle do not count.
    """
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, count = np.unique(edges, axis=0, return_counts=True)
    border = np.unique(edges[count == 1])
    vertex = np.unique(triangles)
    number = ids.number_in_transforms(vertex)
    rows = np.zeros(len(vertex), [("vertex", ">i4"), ("xyz", ">f4", 3)])
    rows["vertex"] = np.where(np.isin(vertex, border), -number, number)
    rows["xyz"][:, :2] = flat[vertex]
    header = np.array([-1, len(vertex)], ">i4")
    path.write_bytes(header.tobytes() + rows.tobytes())


def write_depths(
    layout: Layout,
    subject: str,
    half: Hemisphere,
    to_voxels: Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]],
) -> None:
    """Write where vertices lie in the volume; `to_voxels` turns mm into voxels from 0."""
    for share, path in zip(DEPTHS, layout.depth_files(subject, half.side), strict=True):
        places = to_voxels(half.pial * share + half.white * (1 - share))
        write_mgz(path, ids.number_in_transforms(places))


def write_average(layout: Layout, subject: str, side: Side, index: npt.NDArray[Any]) -> None:
    """Write which vertex of a subject, from 0, belongs to each vertex of fsaverage."""
    write_mgz(layout.fsaverage_file(subject, side), ids.number_in_transforms(index)[:, None])


def write_mgz(path: Path, columns: npt.NDArray[Any]) -> None:
    """Write [vertex, column] as MGZ: vertices, 1, 1, and columns if there are several."""
    values = np.asarray(columns, np.float32)
    shape = (len(values), 1, 1, *values.shape[1:]) if values.shape[1] > 1 else (len(values), 1, 1)
    image: Any = MGHImage(values.reshape(shape), np.eye(4))
    with publish(path) as temporary:
        temporary.write_bytes(gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))
