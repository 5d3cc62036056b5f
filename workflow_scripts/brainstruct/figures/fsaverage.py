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
        flat, white = load_surf_mesh(files[f"flat_{name}"]), load_surf_mesh(files[f"white_{name}"])
        outer, inner = _points(files[f"pial_{name}"]), np.asarray(white.coordinates, np.float32)
        places = np.asarray(flat.coordinates[:, :2], np.float32)
        return Hemisphere(
            side=side,
            white=inner,
            pial=outer,
            inflated=_points(files[f"infl_{name}"]),
            triangles=np.asarray(white.faces, np.int32),
            flat=places,
            flat_triangles=cut_out(np.asarray(flat.faces, np.int32), places, (inner + outer) / 2),
            curvature=-np.asarray(load_surf_data(files[f"curv_{name}"]), np.float32),
        )

    return load("lh", "left"), load("rh", "right")


def _points(path: str) -> NDArray[np.float32]:
    return np.asarray(load_surf_mesh(path).coordinates, np.float32)
