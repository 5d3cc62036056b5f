"""Writes what a subject pressed as ``responses.tsv``."""

import numpy as np
import pandas as pd

from brainstruct.datasets.nsd import ids, numbers
from brainstruct.datasets.nsd.design import ExpDesign, trial_nsd_ids
from brainstruct.datasets.nsd.layout import SUBJECTS, Layout
from brainstruct.datasets.nsd.synthetic.design import repetition
from brainstruct.datasets.nsd.synthetic.streams import stream
from brainstruct.store.publishing import publish

FIRST_TRIAL = 0.505
"""Time of day at which every session begins: dates are not published."""
SECONDS_PER_TRIAL = 4.0
ACCURACY = 0.85


def write_behaviour(
    layout: Layout, design: ExpDesign, subject: str, n_sessions: int, seed: int
) -> None:
    """Write the 19 columns of the NSD for the trials of the first sessions.

    Old or new, and how long ago, follow from the design; correctness and
    reaction times are drawn.
    """
    random = stream(seed, "behaviour", subject)
    trials = np.arange(n_sessions * numbers.TRIALS_PER_SESSION)
    session, row = ids.session_and_row(trials)
    bounds = np.cumsum(numbers.RUN_TRIALS)
    run = np.searchsorted(bounds, row, side="right")
    within_run = row - np.concatenate([[0], bounds])[run]
    earlier = _earlier_trials(design, trials)
    old = repetition(design)[trials] > 0
    old_today = old & (ids.session_and_row(earlier["last"])[0] == session)
    correct = random.random(trials.size) < ACCURACY
    button = np.where(old == correct, 2, 1)
    table = pd.DataFrame(
        {
            "SUBJECT": int(ids.number_in_sequence(SUBJECTS.index(subject))),
            "SESSION": session,
            "RUN": ids.number_in_sequence(run),
            "TRIAL": ids.number_in_sequence(within_run),
            "73KID": ids.number_73k(trial_nsd_ids(design, subject, n_sessions)),
            "10KID": ids.number_10k(design.positions[trials]),
            # With more digits than a number has, as MATLAB wrote them.
            "TIME": [f"{FIRST_TRIAL + at * SECONDS_PER_TRIAL / 86_400:.20g}" for at in row],
            "ISOLD": old.astype(int),
            "ISCORRECT": correct.astype(int),
            "RT": random.gamma(9.0, 90.0, trials.size),
            "CHANGEMIND": 0,
            "MEMORYRECENT": np.where(old, trials - earlier["last"], np.nan),
            "MEMORYFIRST": np.where(old, trials - earlier["first"], np.nan),
            "ISOLDCURRENT": old_today.astype(int),
            "ISCORRECTCURRENT": (old_today == (button == 2)).astype(int),
            "TOTAL1": (button == 1).astype(int),
            "TOTAL2": (button == 2).astype(int),
            "BUTTON": button,
            "MISSINGDATA": 0,
        }
    )
    with publish(layout.responses_file(subject)) as path:
        table.to_csv(
            path, sep="\t", index=False, na_rep="NaN", float_format="%.10g", lineterminator="\n"
        )


def _earlier_trials(design: ExpDesign, trials: ids.IntArray) -> dict[str, ids.IntArray]:
    """Return the previous and the first trial with the same image (itself if there is none)."""
    frame = pd.DataFrame({"position": design.positions[trials], "trial": trials})
    groups = frame.groupby("position")["trial"]
    return {
        "last": groups.shift().fillna(frame["trial"]).to_numpy(dtype=np.int64),
        "first": groups.transform("min").to_numpy(dtype=np.int64),
    }
