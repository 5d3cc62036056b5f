"""Flattened cortices from pycortex, kept ready for many drawing jobs, and their vertices."""

from __future__ import annotations

import hashlib
import io
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from brainstruct.figures.cortex_store import private_cache, pycortex, require_subject
from brainstruct.figures.surface import Flatmap, check_volume, write_flatmap

DEPTHS = 8
"""Points between white matter and pial surface at which a pixel meets voxels.

Cortex is about 2.5 mm thick, so neighbouring points are 0.3 mm apart.
"""


def warm_flatmap(subject: str, transform: str, height: int) -> Path:
    """Build a flatmap once, for all jobs that will draw on it; see `build_flatmap`.

    Returns the file inside the store, for `brainstruct.figures.surface`.
    """
    folder = require_subject(subject, transform)
    matrices = (folder / "transforms" / transform / "matrices.xfm").read_bytes()
    alignment = hashlib.sha256(matrices).hexdigest()[:12]
    path = folder / "cache" / f"flatmap_{transform}_{alignment}_{height}_{DEPTHS}.npz"
    # A file that is there may be the work of other code.
    write_flatmap(build_flatmap(subject, transform, height), path)
    return path


def build_flatmap(subject: str, transform: str, height: int) -> Flatmap:
    """Build a flatmap of a number of rows from the store in use; writes nothing that stays.

    Raises
    ------
    InputError
        If the store lacks the subject or the transform.
    """
    folder = require_subject(subject, transform)
    cortex = pycortex()
    with private_cache() as cache, redirect_stdout(io.StringIO()):
        inside, extent = cortex.quickflat.utils.get_flatmask(subject, height=height)
        sampler = cortex.quickflat.utils.get_flatcache(
            subject, transform, height=height, thick=DEPTHS, sampler="nearest"
        )
        nearest_vertex = cortex.quickflat.utils.get_flatcache(subject, None, height=height)
        curvature = nearest_vertex @ _curvature(subject, folder, cache)
    # pycortex counts pixels column by column from the bottom left.
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    number = number.T[::-1]
    order = number[number >= 0]
    image = np.full(number.shape, np.nan, np.float32)
    image[number >= 0] = curvature[order]
    depth, rows, columns = cortex.db.get_xfm(subject, transform).shape
    left, right, bottom, top = (float(edge) for edge in extent)
    return Flatmap(
        sampler=sparse.csr_array(sampler[order], dtype=np.float32),
        inside=number >= 0,
        extent=(left, right, bottom, top),
        curvature=image,
        volume_shape=(int(columns), int(rows), int(depth)),
    )


def store_places(
    subject: str, transform: str, volume_shape: tuple[int, ...]
) -> list[NDArray[np.float64]]:
    """Read the vertices of both hemispheres, at the depths that flatmaps are made of.

    `volume_shape` are the voxels along i, j and k that the transform must be for. Returns [depth,
    vertex, (i, j, k)], voxels from 0, left and right.

    Raises
    ------
    InputError
        If the store lacks the subject or the transform, or the transform is for volumes of
        another shape.
    """
    require_subject(subject, transform)
    database = pycortex().db
    coordinates = database.get_xfm(subject, transform, xfmtype="coord")
    check_volume([int(length) for length in coordinates.shape[::-1]], volume_shape, transform)
    shares = np.linspace(0, 1, DEPTHS + 2)[1:-1]
    found = []
    for side in ("lh", "rh"):
        white, pial = (database.get_surf(subject, name, side)[0] for name in ("wm", "pia"))
        depths = [coordinates(pial * share + white * (1 - share)) for share in shares]
        found.append(np.stack(depths))
    return found


def _curvature(subject: str, folder: Path, cache: Path) -> NDArray[np.float64]:
    path = folder / "surface-info" / "curvature.npz"
    if not path.is_file():
        path = cache / "curvature.npz"
        import_module("cortex.surfinfo").curvature(str(path), subject)
    with np.load(path, allow_pickle=False) as stored:
        return np.concatenate([stored["left"], stored["right"]])
