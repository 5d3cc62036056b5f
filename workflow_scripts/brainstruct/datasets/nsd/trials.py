"""What was shown to whom: the images of a set, and the trials of a subject."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainstruct.datasets.nsd import ids, numbers
from brainstruct.datasets.nsd.design import (
    ExpDesign,
    planned_images,
    read_expdesign,
    trial_nsd_ids,
)
from brainstruct.datasets.nsd.layout import SHARED, SUBJECTS, Layout
from brainstruct.datasets.nsd.stimuli import read_stim_info


def list_stimuli(layout: Layout, image_set: str, sessions: int) -> pd.DataFrame:
    """List the images planned for all subjects, or for one alone; see `Reader.stimuli`.

    Own columns: ``coco_id`` and ``coco_split``, where the image comes from. An image counts
    as shown if it was so in the first `sessions`.
    """
    design = read_expdesign(layout.expdesign_file)
    shared = image_set == SHARED
    planned = design.shared if shared else planned_images(design, image_set)
    # Shared images are shown in the same trials to all subjects.
    shown = trial_nsd_ids(design, SUBJECTS[0] if shared else image_set, sessions)
    info = read_stim_info(layout.stim_info_file, design).set_index("nsd_id")
    source = info.loc[np.sort(planned), ["coco_id", "coco_split"]]
    found = source.rename_axis("stimulus").reset_index()
    found["shown"] = found["stimulus"].isin(shown)
    found["test_set"] = SHARED if shared else ""
    return found


def list_trials(design: ExpDesign, subject: str, sessions: int) -> pd.DataFrame:
    """List the trials of a subject's first sessions; see `Reader.trials`."""
    shown = trial_nsd_ids(design, subject, sessions)
    session, row = ids.session_and_row(np.arange(shown.size))
    run = np.searchsorted(np.cumsum(numbers.RUN_TRIALS), row, side="right")
    return pd.DataFrame({"session": session, "run": ids.number_in_sequence(run), "stimulus": shown})
