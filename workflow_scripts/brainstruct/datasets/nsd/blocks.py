"""Blocks of images: every image belongs to exactly one, whoever saw it.

The shared images form blocks of their own, so they are embedded once and not
once per subject. Blocks are cut from the images that the design *plans*, so the
number of blocks does not depend on how many sessions are on disk.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainstruct.datasets.nsd.design import ExpDesign, planned_images, trial_nsd_ids
from brainstruct.datasets.nsd.layout import SUBJECTS
from brainstruct.errors import InputError

SHARED = "shared"


def block_images(
    design: ExpDesign, info: pd.DataFrame, owner: str, index: int, *, images: int, sessions: int
) -> pd.DataFrame:
    """List the images of one block.

    Parameters
    ----------
    info : pandas.DataFrame
        From `brainstruct.datasets.nsd.stimuli.read_stim_info`.
    owner : str
        A subject, or ``shared``.
    index : int
        Which block of the owner, from 0.
    images : int
        Planned images per block.
    sessions : int
        First sessions, in which the images must have been shown.

    Returns
    -------
    pandas.DataFrame
        Columns nsd_id, coco_id, coco_split, in order of nsd_id.

    Raises
    ------
    InputError
        If none of the block's images was shown.
    """
    planned = design.shared if owner == SHARED else planned_images(design, owner)
    # Shared images are shown in the same trials to all subjects.
    subject = SUBJECTS[0] if owner == SHARED else owner
    block = np.sort(planned)[index * images : (index + 1) * images]
    shown = np.intersect1d(block, trial_nsd_ids(design, subject, sessions))
    if not shown.size:
        raise InputError(
            f"data.images_per_block = {images}",
            f"block {index} of {owner} holds no image that was shown in {sessions} session(s)",
            "Make blocks larger",
        )
    rows = info.set_index("nsd_id").loc[shown, ["coco_id", "coco_split"]]
    return rows.reset_index()
