"""What a synthetic study and its subjects are to be like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from brainstruct.datasets.nsd import numbers
from brainstruct.datasets.nsd.layout import check_subject
from brainstruct.datasets.nsd.sessions import BetaFormat
from brainstruct.errors import InputError

FeatureKey: TypeAlias = tuple[str, str, int]
"""Model, instruction, layer."""


@dataclass(frozen=True)
class StudyPlan:
    """Who is scanned for how long, and how many images they see.

    Attributes
    ----------
    n_shared, n_unique : int
        Images that the subject with most sessions sees three times each:
        shared with all subjects, and of its own. Subjects with fewer sessions
        see them one to three times, and some of them never.
    image_size : int
        Rows and columns of an image.

    Raises
    ------
    InputError
        If a subject is unknown, or 750 trials per session are not three times
        the number of images.
    """

    sessions: Mapping[str, int]
    n_shared: int
    n_unique: int
    image_size: int = 425

    def __post_init__(self) -> None:
        for subject in self.sessions:
            check_subject(subject)
        n_sessions = max(self.sessions.values(), default=0)
        if not 1 <= n_sessions <= numbers.N_SESSIONS or min(self.sessions.values()) < 1:
            raise InputError(
                "sessions",
                f"{dict(self.sessions)} is no number of sessions per subject",
                f"Give each subject 1 to {numbers.N_SESSIONS}",
            )
        images, n_trials = self.n_shared + self.n_unique, n_sessions * numbers.TRIALS_PER_SESSION
        if images * numbers.N_REPETITIONS != n_trials:
            raise InputError(
                "n_shared, n_unique",
                f"{images} images shown {numbers.N_REPETITIONS} times do not fill the {n_trials} "
                f"trials of {n_sessions} sessions",
                f"Let them add up to {n_trials // numbers.N_REPETITIONS}",
            )
        n_own = numbers.N_POSITIONS - numbers.N_SHARED
        if not (0 <= self.n_shared <= numbers.N_SHARED and 0 <= self.n_unique <= n_own):
            raise InputError(
                "n_shared, n_unique",
                f"{self.n_shared} and {self.n_unique} are out of range",
                f"Use at most {numbers.N_SHARED} shared and {n_own} unique images",
            )


@dataclass(frozen=True)
class Planted:
    """A region and the feature space that drives it."""

    roi: str
    model: str
    instruction: str
    layer: int

    @property
    def key(self) -> FeatureKey:
        """The feature space."""
        return self.model, self.instruction, self.layer


@dataclass(frozen=True)
class SubjectPlan:
    """How a subject's brain is made.

    Attributes
    ----------
    planted : sequence of Planted
        At most one per region; none, and the betas are noise.
    signal : float
        Amplitude of the planted signals; 1 gives the drawn ncsnr.
    ncsnr : tuple of float
        Bounds between which each planted voxel's ncsnr is drawn.
    max_labelled : int, optional
        Most voxels of named regions inside nsdgeneral, shared out among them.
    n_unlabelled, n_outside : int
        Voxels without a region that get betas, inside nsdgeneral and outside.
    spread : float
        Standard deviation of the betas in percent signal change.
    n_saturated : int
        Numbers per session that are beyond int16.
    """

    n_sessions: int
    planted: Sequence[Planted] = ()
    signal: float = 1.0
    ncsnr: tuple[float, float] = (0.3, 1.2)
    max_labelled: int | None = None
    n_unlabelled: int = 300
    n_outside: int = 200
    spread: float = 1.5
    n_saturated: int = 5
    formats: Sequence[BetaFormat] = ("hdf5",)

    def __post_init__(self) -> None:
        rois = [entry.roi for entry in self.planted]
        twice = {roi for roi in rois if rois.count(roi) > 1}
        if twice:
            raise InputError(
                "planted",
                f"plants several signals in {', '.join(sorted(twice))}",
                "Plant one per region",
            )
        if not 0 < self.ncsnr[0] <= self.ncsnr[1]:
            raise InputError(
                "ncsnr", f"{self.ncsnr} are no bounds", "Give a positive one and a larger one"
            )
