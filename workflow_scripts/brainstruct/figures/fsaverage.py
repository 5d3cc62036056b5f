"""The average cortex fsaverage5, from the surfaces that come with nilearn."""

from __future__ import annotations

from nilearn.datasets import fetch_surf_fsaverage

from brainstruct.brain.surfaces import read_surface, read_vertex_values
from brainstruct.figures.hemisphere import Hemisphere, Pair, Side
from brainstruct.figures.store_names import FSAVERAGE

NAME = FSAVERAGE

N_VERTICES = 10242
"""Per hemisphere: the first ones of fsaverage's, of which fsaverage5 is a thinner mesh."""


def load_fsaverage5() -> Pair:
    """Load both hemispheres; nothing is downloaded or written.

    nilearn's curvature is FreeSurfer's, which is negative on gyri.
    """
    files = fetch_surf_fsaverage(NAME)

    def load(side: Side, name: str) -> Hemisphere:
        (white, triangles), (pial, _), (inflated, _), (flat, shown) = (
            read_surface(files[f"{kind}_{name}"], N_VERTICES)
            for kind in ("white", "pial", "infl", "flat")
        )
        curvature = -read_vertex_values(files[f"curv_{name}"], N_VERTICES)
        flat = flat[:, :2]
        return Hemisphere(side, white, pial, inflated, triangles, flat, shown, curvature)

    return load("lh", "left"), load("rh", "right")
