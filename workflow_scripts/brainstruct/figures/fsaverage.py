"""The average cortex fsaverage5, from the surfaces that come with nilearn."""

import numpy as np
from nilearn.datasets import fetch_surf_fsaverage
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brainstruct.brain.hemisphere import Hemisphere, Pair, Side
from brainstruct.brain.surfaces import read_surface, read_vertex_values
from brainstruct.figures.cortex_store import pycortex
from brainstruct.figures.store_names import FSAVERAGE

N_VERTICES = 10242
"""Per hemisphere: the first ones of fsaverage's, of which fsaverage5 is a thinner mesh."""


def load_fsaverage5() -> Pair:
    """Load both hemispheres; nothing is downloaded or written.

    nilearn's curvature is FreeSurfer's, which is negative on gyri.
    """
    files = fetch_surf_fsaverage(FSAVERAGE)

    def load(side: Side, name: str) -> Hemisphere:
        (white, triangles), (pial, _), (inflated, _), (flat, shown) = (
            read_surface(files[f"{kind}_{name}"], N_VERTICES)
            for kind in ("white", "pial", "infl", "flat")
        )
        curvature = -read_vertex_values(files[f"curv_{name}"], N_VERTICES)
        flat = flat[:, :2]
        return Hemisphere(side, white, pial, inflated, triangles, flat, shown, curvature)

    return load("lh", "left"), load("rh", "right")


def nearest_vertices(pair: Pair) -> list[NDArray[np.int64]]:
    """Return about which vertex of a cortex belongs to each of fsaverage's, left and right.

    The nearest of mid-cortex, once both hemispheres have one place and size; folds are not brought
    together, as registration does. Vertices that fsaverage5 lacks take those of their neighbours.
    """
    found = []
    for half, average in zip(pair, load_fsaverage5(), strict=True):
        low, high = half.middle.min(axis=0), half.middle.max(axis=0)
        first, last = average.middle.min(axis=0), average.middle.max(axis=0)
        places = (average.middle - first) / (last - first) * (high - low) + low
        found.append(cKDTree(half.middle).query(places)[1])
    whole = pycortex().freesurfer.upsample_to_fsaverage(np.concatenate(found), FSAVERAGE)
    return list(np.split(whole, 2))
