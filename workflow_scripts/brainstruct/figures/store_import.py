"""A subject's surfaces in the study's own pycortex filestore."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel
import numpy as np
from nibabel.gifti.gifti import GiftiDataArray, GiftiImage
from numpy.typing import NDArray

from brainstruct.figures.hemisphere import Hemisphere
from brainstruct.store.publishing import publish_folder


def import_subject(
    folder: str | os.PathLike[str], name: str, left: Hemisphere, right: Hemisphere
) -> Path:
    """Write a subject into a store as pycortex expects it, so that pycortex can show it too.

    Returns ``db/<name>``, published whole; a subject of that name is replaced.
    """
    target = Path(folder).resolve() / "db" / name
    with publish_folder(target) as draft:
        for part in ("surfaces", "surface-info", "transforms", "anatomicals", "views", "cache"):
            (draft / part).mkdir(parents=True)
        for half in (left, right):
            surfaces = {"wm": half.white, "pia": half.pial, "inflated": half.inflated}
            for kind, points in surfaces.items():
                _write(draft / "surfaces" / f"{kind}_{half.side}.gii", points, half.triangles)
            flat = draft / "surfaces" / f"flat_{half.side}.gii"
            _write(flat, _with_height(half), half.flat_triangles)
        curvature = draft / "surface-info" / "curvature.npz"
        np.savez(curvature, left=left.curvature, right=right.curvature)
    return target


def _with_height(half: Hemisphere) -> NDArray[np.float32]:
    """Flat vertices as [vertex, (x, y, z)]; those that are cut away lie in the middle."""
    shown = np.unique(half.flat_triangles)
    points = np.zeros((len(half.flat), 3), np.float32)
    points[:, :2] = half.flat[shown].mean(axis=0)
    points[shown, :2] = half.flat[shown]
    return points


def _write(path: Path, points: NDArray[np.float32], triangles: NDArray[np.int32]) -> None:
    arrays = [
        GiftiDataArray(points, intent="NIFTI_INTENT_POINTSET", datatype="NIFTI_TYPE_FLOAT32"),
        GiftiDataArray(triangles, intent="NIFTI_INTENT_TRIANGLE", datatype="NIFTI_TYPE_INT32"),
    ]
    nibabel.save(GiftiImage(darrays=arrays), path)
