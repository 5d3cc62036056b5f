"""The average cortex fsaverage5, from the surfaces that come with nilearn."""

from __future__ import annotations

import numpy as np
from nilearn.datasets import fetch_surf_fsaverage
from nilearn.surface import load_surf_data, load_surf_mesh
from numpy.typing import NDArray

from brainstruct.figures.hemisphere import Hemisphere, Side, cut_out
from brainstruct.figures.store_names import FSAVERAGE

NAME = FSAVERAGE

N_VERTICES = 10242
"""Per hemisphere: the first ones of fsaverage's, of which fsaverage5 is a thinner mesh."""


def load_fsaverage5() -> tuple[Hemisphere, Hemisphere]:
    """Load both hemispheres; nothing is downloaded or written.

    nilearn's curvature is FreeSurfer's, which is negative on gyri.
    """
    files = fetch_surf_fsaverage(NAME)

    def load(side: Side, name: str) -> Hemisphere:
        (white, triangles), (pial, _), (inflated, _), (flat, shown) = (
            _mesh(files[f"{kind}_{name}"]) for kind in ("white", "pial", "infl", "flat")
        )
        flat = flat[:, :2]
        curvature = -np.asarray(load_surf_data(files[f"curv_{name}"]), np.float32)
        shown = cut_out(shown, flat, (white + pial) / 2)
        return Hemisphere(side, white, pial, inflated, triangles, flat, shown, curvature)

    return load("lh", "left"), load("rh", "right")


def _mesh(path: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    mesh = load_surf_mesh(path)
    return np.asarray(mesh.coordinates, np.float32), np.asarray(mesh.faces, np.int32)
