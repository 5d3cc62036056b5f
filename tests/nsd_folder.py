"""A subject's surfaces and transforms as the NSD lays them out, made from any two hemispheres."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from scipy.ndimage import binary_dilation

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.surfaces import write_average, write_depths, write_surfaces
from brainstruct.datasets.nsd.transforms import FSAVERAGE_VERTICES


def write_fsaverage_index(layout: Layout, subject: str, side: str, index: np.ndarray) -> None:
    """Write which vertex (from 0) belongs to each of fsaverage's first vertices."""
    whole = np.zeros(FSAVERAGE_VERTICES)
    whole[: len(index)] = index
    write_average(layout, subject, side, whole)


def write_mask(layout: Layout, subject: str, mask: np.ndarray) -> None:
    path = layout.roi_file(subject, "nsdgeneral")
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(mask.astype(np.float64), np.eye(4)), path)


def write_subject(layout: Layout, subject: str, pair, shape: tuple[int, int, int]) -> None:
    """Write everything for both routes from the data set: fsaverage5 as a subject.

    The brain is centred in a volume of 1.8 mm; the mask is cortex at the back.
    """
    points = np.concatenate([half.pial for half in pair])
    centre = (points.min(axis=0) + points.max(axis=0)) / 2

    def to_voxels(place):
        return (place - centre) / 1.8 + (np.array(shape) - 1) / 2

    mask = np.zeros(shape, bool)
    for half in pair:
        write_surfaces(layout, subject, half)
        write_depths(layout, subject, half, to_voxels)
        write_fsaverage_index(layout, subject, half.side, np.arange(len(half.white)))
        middle = (half.pial + half.white) / 2
        mask[tuple(np.rint(to_voxels(middle[middle[:, 1] < -30])).astype(int).T)] = True
    write_mask(layout, subject, binary_dilation(mask, iterations=2))
