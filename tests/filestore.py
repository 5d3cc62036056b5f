"""A subject in a pycortex filestore of a user, made from any two hemispheres."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.gifti.gifti import GiftiDataArray, GiftiImage

SHAPE = (82, 106, 84)


def write_gifti(path: Path, points: np.ndarray, triangles: np.ndarray) -> None:
    arrays = [
        GiftiDataArray(np.asarray(points, np.float32), "NIFTI_INTENT_POINTSET"),
        GiftiDataArray(np.asarray(triangles, np.int32), "NIFTI_INTENT_TRIANGLE"),
    ]
    nib.save(GiftiImage(darrays=arrays), path)


def change_gifti(path: Path, change) -> None:
    """Write a surface anew; `change` gets points and triangles and returns both."""
    points, triangles = (array.data.copy() for array in nib.load(path).darrays)
    write_gifti(path, *change(points, triangles))


def write_stored(store: Path, subject: str, pair, transform: str = "func") -> Path:
    """Write all that a careful user's filestore has; return the subject's folder.

    The brain is centred in a volume of 1.8 mm.
    """
    folder = store / subject
    for part in ("surfaces", "surface-info", f"transforms/{transform}"):
        (folder / part).mkdir(parents=True)
    for half in pair:
        flat = np.c_[half.flat, np.zeros(len(half.flat))]
        surfaces = {"wm": half.white, "pia": half.pial, "inflated": half.inflated}
        for kind, points in surfaces.items():
            write_gifti(folder / f"surfaces/{kind}_{half.side}.gii", points, half.triangles)
        write_gifti(folder / f"surfaces/flat_{half.side}.gii", flat, half.flat_triangles)
    left, right = (half.curvature for half in pair)
    np.savez(folder / "surface-info/curvature.npz", left=left, right=right)
    left, right = (np.zeros((len(half.white), 3)) for half in pair)
    np.savez(folder / "surface-info/bumpy_flatmap.npz", bump_left=left, bump_right=right)
    (folder / "overlays.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="300"></svg>'
    )
    points = np.concatenate([half.pial for half in pair])
    matrix = np.diag([1 / 1.8] * 3 + [1])
    matrix[:3, 3] = (np.array(SHAPE) - 1) / 2 - (points.min(0) + points.max(0)) / 2 / 1.8
    place = folder / "transforms" / transform
    (place / "matrices.xfm").write_text(json.dumps({"coord": matrix.tolist()}))
    nib.save(nib.Nifti1Image(np.zeros(SHAPE, np.uint8), np.eye(4)), place / "reference.nii.gz")
    return folder
