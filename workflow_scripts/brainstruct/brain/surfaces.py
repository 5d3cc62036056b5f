"""Cortical surfaces and values of their vertices: read from any format, and checked."""

import base64
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
from nibabel.freesurfer.io import read_geometry, read_morph_data
from nibabel.gifti.gifti import GiftiImage
from nibabel.openers import ImageOpener

from brainstruct.errors import InputError
from brainstruct.store.faults import reading

_AGAIN = "Get the file again, or export it again with the program that wrote it"

_TRIANGLES_MAGIC, _MORPH_MAGIC = b"\xff\xff\xfe", b"\xff\xff\xff"

_PATCH_MAGIC = -1
_PATCH = np.dtype([("vertex", ">i4"), ("x", ">f4"), ("y", ">f4"), ("z", ">f4")])

_MOST_PACKED = 50  # times smaller than its numbers a file of a surface may be

_WIDEST = 8  # bytes of a number

_FAR = 1e4
"""No brain is ten metres wide: numbers beyond this many mm are damage."""


def read_surface(
    path: str | os.PathLike[str], n_vertices: int | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Read a triangulated surface: GIFTI, npz or VTK by its ending, else FreeSurfer's.

    `n_vertices` are those of the hemisphere's other surfaces. An `InputError` if the file is
    missing or damaged, has another number of vertices, or numbers that are not finite.

    Returns
    -------
    points : ndarray of float32, [vertex, (x, y, z)]
        Millimetres, to the right, front and top.
    triangles : ndarray of int32, [triangle, corner]
        Vertices, counter-clockwise as seen from outside.
    """
    kind, read = _surface_format(Path(path).name)
    with reading(path, f"{kind} surface", _AGAIN):
        points, triangles = (np.asarray(part) for part in read(os.fspath(path)))
    # A file that was cut off is read without complaint if it ends between numbers.
    if (points.shape[1:], triangles.shape[1:]) != ((3,), (3,)) or not (
        len(triangles) and triangles.min() >= 0 and triangles.max() < len(points)
    ):
        raise InputError(path, "is damaged: its triangles do not fit its vertices", _AGAIN)
    return check_vertices(path, points, n_vertices), triangles.astype(np.int32)


def read_vertex_values(
    path: str | os.PathLike[str], n_vertices: int, key: str = ""
) -> npt.NDArray[np.float32]:
    """Read what vertices have: of npz the array `key`, of GIFTI the first, or ``lh.curv``.

    An `InputError` as `read_surface` does.
    """
    readers: dict[str, Callable[[str], Any]] = {
        ".npz": lambda name: _arrays(name, key)[0],
        ".gii": lambda name: _gifti(name).darrays[0].data,
    }
    read: Callable[[str], Any] = readers.get(_ending(Path(path).name), _read_morph)
    with reading(path, "file with values of vertices", _AGAIN):
        values = np.asarray(read(os.fspath(path)))
    return check_vertices(path, values, n_vertices)


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


def check_vertices(
    path: str | os.PathLike[str], values: npt.NDArray[Any], wanted: int | None = None
) -> npt.NDArray[np.float32]:
    """Return values of vertices, once their count is as wanted and all numbers are finite."""
    if wanted is not None and values.shape[:1] != (wanted,):
        raise InputError(
            path,
            f"has {values.shape[0] if values.ndim else 0} vertices, the hemisphere's other files "
            f"have {wanted}",
            "Take all files of a hemisphere from one reconstruction",
        )
    with np.errstate(invalid="ignore"):
        lost = ~(np.abs(values.astype(float)).reshape(len(values), -1) < _FAR).all(axis=1)
    if lost.any():
        fault = f"has no finite numbers at {lost.sum()} of {len(values)} vertices"
        raise InputError(path, f"{fault}, the first {lost.argmax()} (from 0)", _AGAIN)
    return values.astype(np.float32)


def _ending(name: str) -> str:
    return Path(name.removesuffix(".gz")).suffix


def _surface_format(name: str) -> tuple[str, Callable[[str], Any]]:
    return {
        ".gii": ("GIFTI", _read_gifti),
        ".npz": ("pycortex", lambda path: _arrays(path, "pts", "polys")),
        ".vtk": ("VTK", _read_vtk),
    }.get(_ending(name), ("FreeSurfer", _read_geometry))


def _read_geometry(path: str) -> Any:
    with Path(path).open("rb") as file:
        if file.read(3) == _TRIANGLES_MAGIC:
            file.readline(), file.readline()  # who made it, and a comment
            _require_room(path, int(np.fromfile(file, ">i4", 2).sum(dtype=np.int64)), 12)
    return read_geometry(path)


def _read_morph(path: str) -> Any:
    with Path(path).open("rb") as file:
        if file.read(3) == _MORPH_MAGIC:
            _require_room(path, int(np.fromfile(file, ">i4", 1)[0]), 4)
    return read_morph_data(path)


def _require_room(path: str, count: int, n_bytes: int) -> None:
    """Refuse a header that announces more than its file can hold, before room is made for it."""
    if not 0 <= count * n_bytes <= Path(path).stat().st_size:
        raise ValueError(f"announces {count} vertices and triangles, and is shorter")


def _gifti(path: str) -> Any:
    most = _MOST_PACKED * Path(path).stat().st_size
    with ImageOpener(path) as packed:
        text = packed.read(most + 1)
    if len(text) > most:
        raise ValueError(f"unpacks to more than {most} bytes")
    for array in ElementTree.fromstring(text).iter("DataArray"):
        _require_plain(array.attrib, array.findtext("Data") or "")
    return GiftiImage.from_bytes(text)


def _require_plain(said: Mapping[str, str], data: str) -> None:
    """Refuse an array of a GIFTI file that lies elsewhere, or unpacks to more than it announces."""
    if said.get("ExternalFileName"):
        raise ValueError("its numbers lie in another file")
    if said.get("Encoding") == "GZipBase64Binary":
        size = prod(int(length) for name, length in said.items() if re.fullmatch(r"Dim\d", name))
        packed = zlib.decompressobj()
        packed.decompress(base64.b64decode(data), _WIDEST * size + 1)
        if packed.unconsumed_tail:
            raise ValueError(f"unpacks to more than the {size} numbers that it announces")


def _read_gifti(path: str) -> tuple[Any, Any]:
    image = _gifti(path)
    points, triangles = (image.get_arrays_from_intent(name) for name in ("pointset", "triangle"))
    return points[0].data, triangles[0].data


def _arrays(path: str, *names: str) -> list[npt.NDArray[Any]]:
    with zipfile.ZipFile(path) as packed:
        unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > _MOST_PACKED * Path(path).stat().st_size:
            raise ValueError(f"announces {unpacked} bytes")
    with np.load(path, allow_pickle=False) as stored:
        return [stored[name] for name in names]


def _read_vtk(path: str) -> tuple[Any, Any]:
    """Read the two tables of an old VTK file in text, the only ones that pycortex knows."""
    words = Path(path).read_text(encoding="ascii").split()

    def table(name: str, skipped: int, width: int) -> npt.NDArray[np.float64]:
        start = words.index(name)
        size = int(words[start + 1]) * width
        first = start + skipped
        return np.array(words[first : first + size], float).reshape(-1, width)

    return table("POINTS", 3, 3), table("POLYGONS", 3, 4)[:, 1:].astype(np.int64)
