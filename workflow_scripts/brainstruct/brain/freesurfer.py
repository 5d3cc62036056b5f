"""FreeSurfer's flattened patches."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainstruct.brain.surfaces import check_vertices
from brainstruct.errors import InputError
from brainstruct.store.faults import reading

_PATCH = np.dtype([("vertex", ">i4"), ("x", ">f4"), ("y", ">f4"), ("z", ">f4")])
_PATCH_MAGIC = -1


def read_patch(path: str | os.PathLike[str], n_vertices: int) -> npt.NDArray[np.float32]:
    """Read a flattened patch, ``lh.*.flat.patch.3d``.

    A binary file of big-endian numbers: -1, the number of vertices, and for each its number from 1
    (negative on the border), x, y and z. An `InputError` if the file is missing, damaged, or of
    another surface, or has places that are not finite. Returns places in the plane in millimetres,
    [vertex of the hemisphere: n_vertices, (x, y)], NaN for vertices that were cut away.
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
    places = check_vertices(path, np.stack([rows["x"], rows["y"]], axis=1))
    flat = np.full((n_vertices, 2), np.nan, np.float32)
    flat[vertex] = places
    return flat
