"""Draws the table of all images and writes it as ``nsd_stim_info_merged.csv``."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

from brainstruct.nsd import ids
from brainstruct.nsd.design import ExpDesign, trial_numbers
from brainstruct.nsd.layout import COCO_SPLITS, SUBJECTS
from brainstruct.nsd.stimuli import repetition_columns, subject_column
from brainstruct.nsd.synthetic.streams import stream
from brainstruct.store.publishing import publish

LARGEST_COCO_ID = 581_929
VALIDATION_SHARE = 0.04
BOLD5000_SHARE = 0.03
"""Rough shares of the images, as one finds them in the NSD."""


def draw_stim_info(design: ExpDesign, seed: int) -> pd.DataFrame:
    """Draw the source of every image and derive its trials from the design."""
    random = stream(seed, "stimulus table")
    margin = random.uniform(0, 0.25, ids.N_IMAGES).round(4)
    upright = random.random(ids.N_IMAGES) < 0.3
    table = pd.DataFrame(
        {
            "cocoId": random.choice(LARGEST_COCO_ID, ids.N_IMAGES, replace=False),
            "cocoSplit": np.where(
                random.random(ids.N_IMAGES) < VALIDATION_SHARE, *COCO_SPLITS[::-1]
            ),
            "cropBox": [
                f"({part}, {part}, 0, 0)" if tall else f"(0, 0, {part}, {part})"
                for part, tall in zip(margin, upright, strict=True)
            ],
            "loss": random.uniform(0, 0.5, ids.N_IMAGES).round(9),
            "nsdId": np.arange(ids.N_IMAGES),
            "flagged": False,
            "BOLD5000": random.random(ids.N_IMAGES) < BOLD5000_SHARE,
            "shared1000": np.isin(np.arange(ids.N_IMAGES), design.shared),
        }
    )
    trials = {subject: trial_numbers(design, subject) for subject in SUBJECTS}
    assigned = {
        subject_column(subject): (numbers[:, 0] != ids.NOT_ASSIGNED).astype(np.int64)
        for subject, numbers in trials.items()
    }
    repetitions = {
        name: column
        for subject, numbers in trials.items()
        for name, column in zip(repetition_columns(subject), numbers.T, strict=True)
    }
    return table.assign(**assigned, **repetitions)


def write_stim_info(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write the table as the NSD does: with commas and an unnamed first column."""
    with publish(path) as temporary:
        table.to_csv(temporary, lineterminator="\n")
