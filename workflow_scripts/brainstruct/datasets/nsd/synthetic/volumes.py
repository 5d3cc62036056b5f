"""Chooses the voxels of the masks, and draws the mean image."""

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from brainstruct.datasets.nsd.synthetic.regions import Anatomy
from brainstruct.datasets.nsd.synthetic.settings import Brains
from brainstruct.errors import InputError

BoolArray = npt.NDArray[np.bool_]

SMALLEST_REGION = 40
"""A region is not thinned out below this number of voxels."""

NEAR = 4.0
"""Voxels of nsdgeneral lie at most so far (in voxels) from a named region."""

N_OUTSIDE = 200
"""Voxels outside nsdgeneral that get betas, at most."""

MEAN_CORTEX, MEAN_OUTSIDE, MEAN_NOISE = 1200.0, 150.0, 60.0
"""Scanner units of the mean functional image."""


def draw_general(brain: Anatomy, plan: Brains, random: np.random.Generator) -> BoolArray:
    """Draw nsdgeneral, [i, j, k]: voxels of named regions and cortex around them.

    An `InputError` if there are fewer unlabelled cortical voxels near the regions than wanted.
    """
    named = brain.label > 0
    general = _thin_out(brain.label, plan.max_labelled, random)
    distance = scipy.ndimage.distance_transform_edt(~named)
    around = np.flatnonzero(brain.cortex & ~named & (distance <= NEAR))
    if around.size < plan.n_unlabelled:
        raise InputError(
            "n_unlabelled",
            f"{plan.n_unlabelled} unlabelled voxels are wanted, the anatomy has {around.size} "
            "near its regions",
            f"Use at most {around.size}",
        )
    general.flat[random.choice(around, plan.n_unlabelled, replace=False)] = True
    return general


def draw_mask(brain: Anatomy, general: BoolArray, random: np.random.Generator) -> BoolArray:
    """Draw the voxels that get betas, [i, j, k]: nsdgeneral and a thin sample of other cortex."""
    others = np.flatnonzero(brain.cortex & ~general)
    mask = general.copy()
    mask.flat[random.choice(others, min(N_OUTSIDE, others.size), replace=False)] = True
    return mask


def brain_mask(brain: Anatomy) -> BoolArray:
    """Return the brain mask, [i, j, k]: half the slab, with all cortex.

    Most of it gets no betas, which saves their space: constant voxels to a reader.
    """
    centres = [(2 * np.arange(length) + 1) / length - 1 for length in brain.cortex.shape]
    places = np.meshgrid(*centres, indexing="ij")
    inside: BoolArray = np.sum(np.square(places), axis=0) < 1
    return inside | brain.cortex


def draw_mean(brain: Anatomy, random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Draw a mean functional image, [i, j, k]."""
    level = np.where(brain.cortex, MEAN_CORTEX, MEAN_OUTSIDE)
    noisy = level + MEAN_NOISE * random.standard_normal(level.shape)
    return noisy.astype(np.float32)


def _thin_out(label: npt.NDArray[np.int16], most: int, random: np.random.Generator) -> BoolArray:
    """Keep about `most` labelled voxels: the same share of every region, and never few."""
    total = int(np.count_nonzero(label > 0))
    if total <= most:
        return label > 0
    kept = np.zeros(label.shape, dtype=bool)
    for number in np.unique(label[label > 0]):
        voxels = np.flatnonzero(label == number)
        share = max(voxels.size * most // total, min(voxels.size, SMALLEST_REGION))
        kept.flat[random.choice(voxels, share, replace=False)] = True
    return kept
