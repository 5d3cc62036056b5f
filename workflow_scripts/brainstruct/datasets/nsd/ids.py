"""The identifiers of the NSD, and the only place where 1-based ones become 0-based.

MATLAB wrote the data set, so its files count from 1; the package counts from 0.
What the files call an image, a trial or a voxel is a *number* here; what the
package uses is an *id*, a *position*, a *trial*, a *row* or an *index*:

======================  =============================  ===========================
in the files            from                           in the package
======================  =============================  ===========================
73k ID                  1..73000                       ``nsd_id`` 0..72999
10k ID                  1..10000                       ``position`` 0..9999
``subjectN_repM``       1..30000 (0: not assigned)     ``trial`` 0..29999
trial of a session      --                             ``row`` 0..749
session                 1..40 (``session01``)          kept: it is a name
voxel coordinate        1..size                        ``index`` 0..size-1
======================  =============================  ===========================

Every function is pure and vectorised: it takes an integer or an array of
integers of any shape and returns int64 of the same shape.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from brainstruct.datasets.nsd.numbers import (
    N_IMAGES,
    N_POSITIONS,
    N_SESSIONS,
    N_TRIALS,
    NO_COORDINATE,
    TRIALS_PER_SESSION,
)

IntArray: TypeAlias = npt.NDArray[np.int64]


def nsd_id_from_73k(number: npt.ArrayLike) -> IntArray:
    """Convert 73k IDs (1..73000) to ``nsd_id`` (0..72999)."""
    return _within(number, 1, N_IMAGES, "73k IDs") - 1


def number_73k(nsd_id: npt.ArrayLike) -> IntArray:
    """Convert ``nsd_id`` (0..72999) to 73k IDs (1..73000)."""
    return valid_nsd_ids(nsd_id) + 1


def position_from_10k(number: npt.ArrayLike) -> IntArray:
    """Convert 10k IDs (1..10000) to positions in a subject's list (0..9999)."""
    return _within(number, 1, N_POSITIONS, "10k IDs") - 1


def number_10k(position: npt.ArrayLike) -> IntArray:
    """Convert positions in a subject's list (0..9999) to 10k IDs (1..10000)."""
    return _within(position, 0, N_POSITIONS - 1, "positions") + 1


def trial_number(trial: npt.ArrayLike) -> IntArray:
    """Convert trials (0..29999) to trial numbers of the stimulus table (1..30000)."""
    return _within(trial, 0, N_TRIALS - 1, "trials") + 1


def session_and_row(trial: npt.ArrayLike) -> tuple[IntArray, IntArray]:
    """Return session (number of the file of betas, 1..40) and row in it (0..749) of trials."""
    session, row = np.divmod(_within(trial, 0, N_TRIALS - 1, "trials"), TRIALS_PER_SESSION)
    return session + 1, row


def session_numbers(count: int) -> range:
    """Return the numbers of the first `count` sessions: 1..count."""
    return range(1, int(_within(count, 0, N_SESSIONS, "numbers of sessions")) + 1)


def number_in_sequence(place: npt.ArrayLike) -> IntArray:
    """Convert places of runs and of trials within runs (0, 1, ..) to numbers (1, 2, ..)."""
    return _within(place, 0, N_TRIALS - 1, "places") + 1


def voxel_index(coordinate: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert coordinates of transform files (1-based, fractional) to 0-based ones.

    NaN stands where the file says `NO_COORDINATE`.
    """
    given = np.asarray(coordinate, dtype=np.float64)
    return np.where(given == NO_COORDINATE, np.nan, given - 1.0)


def vertex_from_number(number: npt.ArrayLike) -> IntArray:
    """Convert numbers of vertices in transform files (1-based) to 0-based vertices.

    Nothing is checked: how many vertices there are differs between subjects.
    """
    return np.asarray(number).astype(np.int64) - 1


def number_in_transforms(place: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert coordinates and vertices (0-based) to those of transform files (1-based)."""
    return np.asarray(place, dtype=np.float64) + 1.0


def valid_nsd_ids(nsd_id: npt.ArrayLike) -> IntArray:
    """Return `nsd_id` as int64: whole numbers (or a `TypeError`), 0..72999 (or a `ValueError`)."""
    return _within(nsd_id, 0, N_IMAGES - 1, "nsd_ids")


def _within(values: npt.ArrayLike, low: int, high: int, what: str) -> IntArray:
    given = np.asarray(values)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise TypeError(f"{what} must be integers, not {given.dtype}")
    checked = given.astype(np.int64)
    outside = (checked < low) | (checked > high)
    if outside.any():
        raise ValueError(
            f"{np.count_nonzero(outside)} of {checked.size} {what} lie outside "
            f"{low}..{high}, the first is {checked[outside].flat[0]}"
        )
    return checked
