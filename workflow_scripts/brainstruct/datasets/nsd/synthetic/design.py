"""Draws an experiment, and writes ``nsd_expdesign.mat`` and ``nsd_stim_info_merged.csv``."""

import os

import numpy as np
import pandas as pd
import scipy.io

from brainstruct.datasets.nsd import ids, numbers
from brainstruct.datasets.nsd.design import ExpDesign, trial_numbers
from brainstruct.datasets.nsd.layout import COCO_SPLITS, SUBJECTS
from brainstruct.datasets.nsd.stimuli import repetition_columns, subject_column
from brainstruct.datasets.nsd.synthetic.settings import Experiment
from brainstruct.datasets.nsd.synthetic.streams import stream
from brainstruct.store.publishing import publish

_MAT_TEXT = b"MATLAB 5.0 MAT-file, written by brainstruct"
_MAT_TEXT_BYTES = 116
"""Length of the free text that such a file begins with."""

RUN_SLOTS = 75
INNER_SLOTS = np.arange(3, RUN_SLOTS - 4)
"""Slots of a run that may show an image: it begins and ends blank."""

LARGEST_COCO_ID = 581_929
VALIDATION_SHARE = 0.04
BOLD5000_SHARE = 0.03
"""Rough shares of the images, as one finds them in the NSD."""


def draw_design(plan: Experiment) -> ExpDesign:
    """Draw who sees what when.

    The trials of the longest subject show the plan's images three times each,
    in random order; the rest of the 30,000 trials shows the rest of the images.
    """
    random = stream(plan.seed, "design")
    order = random.permutation(numbers.N_IMAGES)
    shared = np.sort(order[: numbers.N_SHARED])
    own = order[numbers.N_SHARED :].reshape(len(SUBJECTS), -1)
    images = np.hstack([np.tile(shared, (len(SUBJECTS), 1)), own])

    early = np.zeros(numbers.N_POSITIONS, dtype=bool)
    early[: plan.shared_images] = True
    early[numbers.N_SHARED : numbers.N_SHARED + plan.unique_images] = True
    blocks = [
        random.permutation(np.repeat(np.flatnonzero(chosen), numbers.N_REPETITIONS))
        for chosen in (early, ~early)
    ]
    return ExpDesign(np.concatenate(blocks), images, shared)


def write_expdesign(design: ExpDesign, path: str | os.PathLike[str]) -> None:
    """Write a design in MATLAB's terms: 1-based numbers, all of them doubles.

    Two fields are there because real files have them; nothing reads them. What ``basiccnt``
    counts is not documented: here, per session, trials of an image's first, second and third time.
    """
    order = np.argsort(design.positions, kind="stable")
    time = np.empty(numbers.N_TRIALS, dtype=np.int64)
    time[order] = np.tile(np.arange(numbers.N_REPETITIONS), numbers.N_POSITIONS)
    of_session = time.reshape(numbers.N_SESSIONS, numbers.TRIALS_PER_SESSION)
    random = stream(0, "stimulus pattern")
    slots = [[random.permutation(INNER_SLOTS)[:n] for n in numbers.RUN_TRIALS] for _ in of_session]
    content = {
        "masterordering": ids.number_10k(design.positions)[None],
        "subjectim": ids.number_73k(design.images),
        "sharedix": ids.number_73k(design.shared)[None],
        "basiccnt": np.stack([(of_session == one).sum(1) for one in range(numbers.N_REPETITIONS)]),
        "stimpattern": np.array(
            [[np.isin(np.arange(RUN_SLOTS), run) for run in runs] for runs in slots]
        ),
    }
    with publish(path) as temporary:
        scipy.io.savemat(
            temporary,
            {name: values.astype(np.float64) for name, values in content.items()},
            do_compression=True,
        )
        with temporary.open("r+b") as file:  # scipy writes the time there
            file.write(_MAT_TEXT.ljust(_MAT_TEXT_BYTES))


def draw_stim_info(design: ExpDesign, seed: int) -> pd.DataFrame:
    """Draw the source of every image and derive its trials from the design."""
    random = stream(seed, "stimulus table")
    margin = random.uniform(0, 0.25, numbers.N_IMAGES).round(4)
    upright = random.random(numbers.N_IMAGES) < 0.3
    table = pd.DataFrame(
        {
            "cocoId": random.choice(LARGEST_COCO_ID, numbers.N_IMAGES, replace=False),
            "cocoSplit": np.where(
                random.random(numbers.N_IMAGES) < VALIDATION_SHARE, *COCO_SPLITS[::-1]
            ),
            "cropBox": [
                f"({part}, {part}, 0, 0)" if tall else f"(0, 0, {part}, {part})"
                for part, tall in zip(margin, upright, strict=True)
            ],
            "loss": random.uniform(0, 0.5, numbers.N_IMAGES).round(9),
            "nsdId": np.arange(numbers.N_IMAGES),
            "flagged": False,
            "BOLD5000": random.random(numbers.N_IMAGES) < BOLD5000_SHARE,
            "shared1000": np.isin(np.arange(numbers.N_IMAGES), design.shared),
        }
    )
    trials = {subject: trial_numbers(design, subject) for subject in SUBJECTS}
    assigned = {
        subject_column(subject): (shown[:, 0] != numbers.NOT_ASSIGNED).astype(np.int64)
        for subject, shown in trials.items()
    }
    repetitions = {
        name: column
        for subject, shown in trials.items()
        for name, column in zip(repetition_columns(subject), shown.T, strict=True)
    }
    return table.assign(**assigned, **repetitions)


def write_stim_info(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write the table as the NSD does: with commas and an unnamed first column."""
    with publish(path) as temporary:
        table.to_csv(temporary, lineterminator="\n")
