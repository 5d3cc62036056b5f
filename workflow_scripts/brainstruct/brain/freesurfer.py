"""Cortical surfaces in FreeSurfer's formats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from nibabel.freesurfer.io import read_geometry, read_morph_data

from brainstruct.errors import InputError
from brainstruct.store.faults import reading

_AGAIN = "Download it again, or export it again with FreeSurfer"

_PATCH = np.dtype([("vertex", ">i4"), ("x", ">f4"), ("y", ">f4"), ("z", ">f4")])
_PATCH_MAGIC = -1
_TRIANGLES_MAGIC, _MORPH_MAGIC = b"\xff\xff\xfe", b"\xff\xff\xff"


def read_surface(
    path: str | os.PathLike[str], n_vertices: int | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Read a triangulated surface.

    Parameters
    ----------
    path : path
        For instance ``lh.white``.
    n_vertices : int, optional
        Those of the hemisphere's other surfaces.

    Returns
    -------
    points : ndarray of float32, [vertex, (x, y, z)]
        Millimetres, to the right, front and top.
    triangles : ndarray of int32, [triangle, corner]
        Vertices, counter-clockwise as seen from outside.

    Raises
    ------
    InputError
        If the file is missing or damaged, or has another number of vertices.
    """
    with reading(path, "FreeSurfer surface", _AGAIN):
        _require_room(path, _counts_of_surface(path), 12)
        points, triangles = read_geometry(os.fspath(path))
    # A file that was cut off is read without complaint if it ends between numbers.
    if triangles.size == 0 or triangles.max() >= len(points) or triangles.min() < 0:
        raise InputError(path, "is damaged: its triangles do not fit its vertices", _AGAIN)
    _check_count(path, len(points), n_vertices)
    return points.astype(np.float32), triangles.astype(np.int32)


def read_vertex_values(path: str | os.PathLike[str], n_vertices: int) -> npt.NDArray[np.float32]:
    """Read one value per vertex, for instance ``lh.curv``.

    Raises
    ------
    InputError
        If the file is missing or damaged, or has another number of vertices.
    """
    with reading(path, "FreeSurfer curvature", _AGAIN):
        with Path(path).open("rb") as file:
            if file.read(3) == _MORPH_MAGIC:
                _require_room(path, _numbers(file, 1), 4)
        values: npt.NDArray[Any] = np.asarray(read_morph_data(os.fspath(path)))
    _check_count(path, len(values), n_vertices)
    return values.astype(np.float32)


def read_patch(path: str | os.PathLike[str], n_vertices: int) -> npt.NDArray[np.float32]:
    """Read a flattened patch, ``lh.*.flat.patch.3d``.

    A binary file of big-endian numbers: -1, the number of vertices, and for
    each its number from 1 (negative on the border), x, y and z.

    Returns
    -------
    ndarray of float32, [vertex of the hemisphere: n_vertices, (x, y)]
        Place in the plane in millimetres, NaN for vertices that were cut away.

    Raises
    ------
    InputError
        If the file is missing, damaged, or of another surface.
    """
    cure = "Download it again, or flatten the surface again (mris_flatten)"
    with reading(path, "FreeSurfer patch", cure):
        content = Path(path).read_bytes()
    header = np.frombuffer(content[:8], ">i4", count=min(len(content) // 4, 2))
    if len(header) < 2 or header[0] != _PATCH_MAGIC:
        raise InputError(path, "is no FreeSurfer patch", cure)
    count, length = int(header[1]), len(content) - 8
    if count <= 0 or length != count * _PATCH.itemsize:
        raise InputError(
            path,
            f"is damaged: it announces {count} vertices, {count * _PATCH.itemsize} bytes, "
            f"and holds {length}",
            cure,
        )
    rows = np.frombuffer(content, _PATCH, offset=8)
    vertex = np.abs(rows["vertex"].astype(np.int64)) - 1
    if vertex.min() < 0 or vertex.max() >= n_vertices:
        raise InputError(
            path,
            f"flattens vertices up to {vertex.max()}, but the surface has {n_vertices}",
            "Take the patch and the surfaces from one reconstruction",
        )
    flat = np.full((n_vertices, 2), np.nan, np.float32)
    flat[vertex, 0], flat[vertex, 1] = rows["x"], rows["y"]
    return flat


def _counts_of_surface(path: str | os.PathLike[str]) -> int:
    """Return how many vertices and triangles a surface announces; 0 for old formats' few."""
    with Path(path).open("rb") as file:
        if file.read(3) != _TRIANGLES_MAGIC:
            return 0
        file.readline(), file.readline()  # who made it, and a comment
        return _numbers(file, 2)


def _numbers(file: IO[bytes], count: int) -> int:
    found = np.frombuffer(file.read(4 * count), ">i4", count)
    if found.min() < 0:
        raise ValueError("announces a negative number")
    return int(found.sum(dtype=np.int64))


def _require_room(path: str | os.PathLike[str], count: int, n_bytes: int) -> None:
    """Refuse a header that announces more than its file can hold, before room is made for it."""
    if count * n_bytes > Path(path).stat().st_size:
        raise ValueError(f"announces {count} vertices and triangles, and is shorter")


def _check_count(path: str | os.PathLike[str], count: int, wanted: int | None) -> None:
    if wanted is not None and count != wanted:
        raise InputError(
            path,
            f"has {count} vertices, the hemisphere's other files have {wanted}",
            "Take all files of a hemisphere from one reconstruction",
        )
