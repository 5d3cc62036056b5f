"""Cortices as they are read: from FreeSurfer's files and from pycortex's filestores."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from brainstruct.brain.hemisphere import Hemisphere, Pair, Side
from brainstruct.brain.surfaces import read_patch, read_surface, read_vertex_values
from brainstruct.datasets.interface import HemisphereFiles
from brainstruct.errors import InputError
from brainstruct.figures.hemisphere import lay_out
from brainstruct.figures.store_names import TRANSFORM, surface_file, values_file
from brainstruct.store.faults import reading

DEPTHS = 8
"""Points between white matter and pial surface at which a pixel meets voxels.

Cortex is about 2.5 mm thick, so neighbouring points are 0.3 mm apart.
"""


def read_own(cortex: Sequence[HemisphereFiles]) -> Pair:
    """Read FreeSurfer's files of both hemispheres, laid out; see `lay_out` for what is refused."""
    left, right = (_read_freesurfer(files) for files in cortex)
    return lay_out(left, right)


def _read_freesurfer(files: HemisphereFiles) -> Hemisphere:
    white, triangles = read_surface(files.white)
    count = len(white)
    return Hemisphere(
        files.side,
        white,
        read_surface(files.pial, count)[0],
        read_surface(files.inflated, count)[0],
        triangles,
        read_patch(files.patch, count),
        triangles,
        -read_vertex_values(files.curv, count),
        {"white": files.white, "flat": files.patch, "curvature": files.curv},
    )


def read_stored(folder: Path) -> Pair:
    """Read a subject of a filestore as it lies there; curvature and inflated may be missing."""
    return _read_stored(folder, "lh"), _read_stored(folder, "rh")


def _read_stored(folder: Path, side: Side) -> Hemisphere:
    def path(kind: str) -> Path:
        return surface_file(folder, kind, side)

    white, triangles = read_surface(path("wm"))
    count = len(white)
    flat, shown = read_surface(path("flat"), count)
    return Hemisphere(
        side,
        white,
        read_surface(path("pia"), count)[0],
        read_surface(path("inflated"), count)[0] if path("inflated").is_file() else None,
        triangles,
        flat[:, :2],
        shown,
        stored_values(folder, "curvature", side, count),
        {"white": path("wm"), "flat": path("flat"), "curvature": values_file(folder, "curvature")},
    )


def stored_values(
    folder: Path, name: str, side: Side, n_vertices: int, before: str = ""
) -> NDArray[np.float32] | None:
    """Read values of a hemisphere's vertices in a filestore, if they are there.

    Arrays are called ``left`` and ``right``, `before` stands before that.
    """
    path = values_file(folder, name)
    key = before + {"lh": "left", "rh": "right"}[side]
    return read_vertex_values(path, n_vertices, key) if path.is_file() else None


@dataclass(frozen=True)
class Alignment:
    """A transform of a filestore: from mm of the surfaces to voxels of a volume."""

    name: str
    matrix: NDArray[np.float64]  # [4, 4]
    shape: tuple[int, int, int]  # voxels along i, j and k

    def depths(self, half: Hemisphere) -> NDArray[np.float64]:
        """Return where vertices lie, [depth, vertex, (i, j, k)], voxels from 0."""
        shares = np.linspace(0, 1, DEPTHS + 2)[1:-1]
        points = [half.pial * share + half.white * (1 - share) for share in shares]
        return self.voxels(np.stack(points))

    def voxels(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return places in mm, [.., (x, y, z)], in voxels from 0."""
        return np.asarray(points @ self.matrix[:3, :3].T + self.matrix[:3, 3])


def read_alignment(folder: Path, name: str) -> Alignment:
    """Read a transform of a subject in a filestore; an `InputError` names those it has."""
    matrices, reference = (folder / "transforms" / name / file for file in TRANSFORM)
    if not matrices.is_file():
        cure = "Name one of these as the flatmaps' transform"
        raise lacks(folder / "transforms", "transform", name, cure)
    again = "Save the transform again with pycortex (cortex.db.save_xfm)"
    with reading(matrices, "transform", again):
        matrix = np.array(json.loads(matrices.read_text(encoding="utf-8"))["coord"], float)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.linalg.det(matrix):
        raise InputError(matrices, "is no transform: its matrix cannot be inverted", again)
    with reading(reference, "image", again):
        image: Any = nibabel.load(reference)  # its header alone
        i, j, k = image.shape[:3]
    return Alignment(name, matrix, (int(i), int(j), int(k)))


def lacks(folder: Path, kind: str, name: str, cure: str) -> InputError:
    """Say that a folder lacks another one, and which it has."""
    there = [entry.name for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []
    listed = ", ".join(sorted(one for one in there if not one.startswith("."))) or "none"
    return InputError(folder, f"has no {kind} '{name}' (it has {listed})", cure)
