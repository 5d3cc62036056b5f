"""The experiment's design: which image each trial of each subject showed."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io

from brainstruct.datasets.nsd import ids, numbers
from brainstruct.datasets.nsd.ids import IntArray
from brainstruct.datasets.nsd.layout import SUBJECTS, check_subject
from brainstruct.errors import InputError
from brainstruct.store.faults import reading

_NO_NUMBERS = ("cell", "struct", "object", "char", "function", "opaque")
"""MATLAB's kinds of fields that hold none."""

CURE = "Download it again from s3://natural-scenes-dataset/nsddata/experiments/nsd"


@dataclass(frozen=True)
class ExpDesign:
    """The planned experiment, with 0-based identifiers."""

    # [trial: 30000]: position in a subject's list of images that each trial shows; the same for all
    # subjects; every position comes three times (``masterordering``).
    positions: IntArray
    # [subject: 8, position: 10000]: ``nsd_id`` of every subject's images; the first 1,000 are the
    # shared ones (``subjectim``).
    images: IntArray
    shared: IntArray  # [1000]: ``nsd_id`` of the shared images, ascending (``sharedix``)


def read_expdesign(path: str | os.PathLike[str]) -> ExpDesign:
    """Read ``nsd_expdesign.mat``; an `InputError` if it is not as `ExpDesign` describes it."""
    if not Path(path).is_file():
        raise InputError(path, "does not exist", CURE)
    wanted = {
        "masterordering": (1, numbers.N_TRIALS),
        "subjectim": (len(SUBJECTS), numbers.N_POSITIONS),
        "sharedix": (1, numbers.N_SHARED),
    }
    with reading(path, "MATLAB file", CURE):
        found = {name: is_there for name, *is_there in scipy.io.whosmat(os.fspath(path))}
        for name, shape in wanted.items():
            if name not in found:
                raise InputError(path, f"has no field {name}", CURE)
            there, kind = found[name]
            if there != shape:
                raise InputError(path, f"{name} has shape {there} instead of {shape}", CURE)
            if kind in _NO_NUMBERS:
                raise InputError(path, f"{name} is a {kind} instead of numbers", CURE)
        stored = scipy.io.loadmat(os.fspath(path), variable_names=list(wanted))
        arrays = [_whole(path, name, stored[name]) for name in wanted]
    try:
        design = ExpDesign(
            positions=ids.position_from_10k(arrays[0][0]),
            images=ids.nsd_id_from_73k(arrays[1]),
            shared=ids.nsd_id_from_73k(arrays[2][0]),
        )
    except ValueError as error:
        raise InputError(path, str(error), CURE) from error
    for fault in _faults(design):
        raise InputError(path, fault, CURE)
    return design


def trial_nsd_ids(design: ExpDesign, subject: str, n_sessions: int) -> IntArray:
    """Return the ``nsd_id`` of a subject's first sessions, int64, [trial: 750 * n_sessions].

    The nsddata example code reads ``subjectim(s, masterordering(t))``.
    """
    n_trials = len(ids.session_numbers(n_sessions)) * numbers.TRIALS_PER_SESSION
    return np.asarray(_subject_images(design, subject)[design.positions[:n_trials]])


def shown_images(design: ExpDesign, sessions: Mapping[str, int]) -> IntArray:
    """Return the ``nsd_id`` that any subject saw in its first sessions, ascending."""
    trials = [trial_nsd_ids(design, subject, count) for subject, count in sessions.items()]
    return np.unique(np.concatenate(trials))


def trial_numbers(design: ExpDesign, subject: str) -> IntArray:
    """Return the trial numbers of every image, as the stimulus table has them.

    They are int64, [nsd_id: 73000, repetition: 3], from 1, ascending; `numbers.NOT_ASSIGNED`
    for the images of other subjects.
    """
    shown = trial_nsd_ids(design, subject, numbers.N_SESSIONS)
    order = np.argsort(shown, kind="stable").reshape(-1, numbers.N_REPETITIONS)
    shape = numbers.N_IMAGES, numbers.N_REPETITIONS
    found = np.full(shape, numbers.NOT_ASSIGNED, dtype=np.int64)
    found[shown[order[:, 0]]] = ids.trial_number(order)
    return found


def planned_images(design: ExpDesign, subject: str) -> IntArray:
    """Return the images planned for this subject alone, ascending (9,000 ``nsd_id``)."""
    return np.asarray(np.sort(_subject_images(design, subject)[numbers.N_SHARED :]))


def _subject_images(design: ExpDesign, subject: str) -> IntArray:
    """Return the images planned for a subject, [position: 10000], the shared ones first."""
    check_subject(subject)
    return np.asarray(design.images[SUBJECTS.index(subject)])


def _whole(path: str | os.PathLike[str], name: str, values: npt.NDArray[Any]) -> IntArray:
    """Return whole numbers as such."""
    whole: IntArray = values.astype(np.int64)
    if not np.array_equal(whole, values):
        raise InputError(path, f"{name} holds numbers that are not whole", CURE)
    return whole


def _faults(design: ExpDesign) -> Iterator[str]:
    """Say what is inconsistent."""
    times = np.bincount(design.positions, minlength=numbers.N_POSITIONS)
    wrong = np.flatnonzero(times != numbers.N_REPETITIONS)
    if wrong.size:
        yield (
            f"masterordering shows {wrong.size} images not {numbers.N_REPETITIONS} times "
            f"(10k ID {ids.number_10k(wrong[0])}: {times[wrong[0]]} times)"
        )
    if (np.diff(design.shared) <= 0).any():
        yield "sharedix is not ascending"
    for subject, images in zip(SUBJECTS, design.images, strict=True):
        if not np.array_equal(images[: numbers.N_SHARED], design.shared):
            yield f"the first {numbers.N_SHARED} images of {subject} are not sharedix"
    everything = np.concatenate([design.shared, design.images[:, numbers.N_SHARED :].ravel()])
    repeated = everything.size - np.unique(everything).size
    if repeated:
        yield f"subjectim plans {repeated} unshared images twice"
