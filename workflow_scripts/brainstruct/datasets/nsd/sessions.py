"""Which sessions of a subject there are, and which are read. Standard library only."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Literal, Self, TypeAlias

from brainstruct.store.resources import table_beside

BetaFormat: TypeAlias = Literal["hdf5", "nifti"]

SUFFIXES: dict[BetaFormat, str] = {"hdf5": ".hdf5", "nifti": ".nii.gz"}
"""In order of preference: one voxel over all trials is cheap to read in HDF5."""

RELEASED_SESSIONS: dict[str, int] = {
    subject: known["sessions"] for subject, known in table_beside(__file__, "subjects.toml").items()
}
"""Sessions that the data set holds of each subject (NSD Data Manual, technical notes)."""


AGAIN = "Download the session again"
"""What helps against damage."""

AS_WRITTEN = (
    "Write it as the data set does: 750 trials, unscaled, of int16 or of floating-point numbers; "
    "a file of the data set itself has been changed, and is to be downloaded again"
)
"""What helps against sessions of one's own that are sound and of another kind."""


def without(name: str) -> str:
    """Return what to do about a session's file that is damaged or missing."""
    return AGAIN if "session01." in name else f"{AGAIN}, or use only the sessions before it"


@dataclass(frozen=True)
class Sessions:
    """Sessions of a subject that are read: 1..count, in one format."""

    count: int
    format: BetaFormat

    @property
    def numbers(self) -> tuple[int, ...]:
        """File numbers, from 1."""
        return tuple(range(1, self.count + 1))


@dataclass(frozen=True)
class SessionFiles:
    """Sessions that one folder holds of a subject, on disk or in the bucket, holes and all."""

    numbers: Mapping[BetaFormat, set[int]]  # format -> numbers of the sessions that are there

    @classmethod
    def among(cls, names: Iterable[str]) -> Self:
        """Find the sessions among the names of a folder's files."""
        stem = r"betas_session(\d{2})"
        known = list(names)
        found: dict[BetaFormat, set[int]] = {}
        for form, suffix in SUFFIXES.items():
            matches = (re.fullmatch(stem + re.escape(suffix), name) for name in known)
            found[form] = {int(match[1]) for match in matches if match}
        return cls(found)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any(self.numbers.values())

    def whole(self, form: BetaFormat) -> int:
        """Return how many there are from the first on without a hole."""
        return sum(1 for _ in takewhile(self.numbers[form].__contains__, count(1)))

    def meant(
        self, subject: str, fmt: BetaFormat | Literal["auto"], wanted: int | None
    ) -> Sessions:
        """Say which sessions are to be read, whether or not all of them are there.

        The format ``auto`` is the one with more sessions (from the first on, without a hole),
        HDF5 if both have as many. By default all are `wanted` up to the last that is there,
        or, where there is none, as many as were released.
        """
        fuller = max(SUFFIXES, key=lambda name: (self.whole(name), len(self.numbers[name])))
        form = fuller if fmt == "auto" else fmt
        last = max(self.numbers[form], default=RELEASED_SESSIONS[subject])
        return Sessions(wanted or last, form)
