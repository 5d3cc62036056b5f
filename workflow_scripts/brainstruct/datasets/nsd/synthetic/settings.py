"""What the configuration says of a data set that the workflow writes in the NSD's formats."""

from collections import Counter
from typing import Literal, Self, TypeAlias

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from brainstruct.datasets.nsd.numbers import N_OWN, N_REPETITIONS, N_SHARED, TRIALS_PER_SESSION
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS
from brainstruct.settings.base import Block, Key, Name
from brainstruct.settings.suggest import unknown_name

FeatureKey: TypeAlias = tuple[str, str, int]
"""Model, instruction, layer."""


class Planted(Block):
    """A region whose voxels respond to one feature space.

    Attributes
    ----------
    roi : str
        Region of the anatomy.
    model, instruction, layer : str, str, int
        The feature space that drives it.
    """

    roi: str
    model: Key
    instruction: Key
    layer: NonNegativeInt

    @property
    def key(self) -> FeatureKey:
        """The feature space."""
        return self.model, self.instruction, self.layer


class Brains(Block):
    """How the brains of subjects are made.

    Attributes
    ----------
    formats : list of str
        Formats in which the betas are written.
    max_labelled : int
        Voxels of the mask that lie in regions, at most.
    n_unlabelled : int
        Voxels of the mask outside all regions; they carry noise only.
    signal : float
        Amplitude of planted signals; 0 leaves noise alone.
    ncsnr : pair of float
        Range of the signal-to-noise ratio of planted voxels.
    planted : list of Planted
        What drives which region; empty: pure noise everywhere.
    """

    formats: list[Literal["hdf5", "nifti"]] = ["hdf5"]
    max_labelled: PositiveInt = 2500
    n_unlabelled: NonNegativeInt = 300
    signal: float = Field(default=1.0, ge=0)
    ncsnr: tuple[float, float] = (0.6, 1.4)
    planted: list[Planted] = []

    @model_validator(mode="after")
    def _signals_can_be_planted(self) -> Self:
        often = Counter(entry.roi for entry in self.planted)
        if twice := [roi for roi, times in often.items() if times > 1]:
            fault = f"'planted' has several signals in {', '.join(twice)}; plant one each"
            raise ValueError(fault)
        if not 0 < self.ncsnr[0] <= self.ncsnr[1]:
            fault = f"'ncsnr' {self.ncsnr} are no bounds: a positive one, and a larger one"
            raise ValueError(fault)
        return self


class Experiment(Block):
    """Who is scanned for how long, and how many images they see.

    The subject with most sessions sees all its images three times. Subjects with fewer sessions
    see them one to three times, and some of them never.

    Attributes
    ----------
    seed : int
        Seed of stimuli, design and betas.
    sessions : mapping
        Sessions written per subject.
    shared_images, unique_images : int
        Images shown to all, and to each subject alone; with three repetitions
        they fill the longest subject's sessions of 750 trials.
    """

    seed: int
    sessions: dict[Key, PositiveInt] = Field(min_length=1)
    shared_images: PositiveInt = Field(le=N_SHARED)
    unique_images: PositiveInt = Field(le=N_OWN)

    @model_validator(mode="after")
    def _images_fill_the_sessions(self) -> Self:
        problems = unknown_name("sessions", self.sessions, RELEASED_SESSIONS)
        shown = N_REPETITIONS * (self.shared_images + self.unique_images)
        n_trials = TRIALS_PER_SESSION * self.longest
        if n_trials != shown:
            problems.append(
                f"{self.longest} sessions have {n_trials} trials, "
                f"but three repetitions of 'shared_images' + 'unique_images' are {shown}"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def longest(self) -> int:
        """Most sessions of any subject."""
        return max(self.sessions.values())


class Written(Brains, Experiment):
    """A data set whose truth is known.

    Attributes
    ----------
    anatomy_subject, anatomy_transform : str
        pycortex subject whose regions are used.
    regions : list of str or None
        Regions of the anatomy that the mask covers; `None`: all it has.
    """

    anatomy_subject: Name = "S1"
    anatomy_transform: Name = "fullhead"
    regions: list[str] | None = None
