"""What a synthetic study and its subjects are to be like, as `settings.Written` allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from brainstruct.datasets.nsd.numbers import IMAGE_SIZE
from brainstruct.datasets.nsd.sessions import BetaFormat

FeatureKey: TypeAlias = tuple[str, str, int]
"""Model, instruction, layer."""


@dataclass(frozen=True)
class StudyPlan:
    """Who is scanned for how long, and how many images they see.

    The subject with most sessions sees `n_shared` images, as all do, and `n_unique` of its
    own, three times each. Subjects with fewer sessions see them one to three times, and
    some of them never.
    """

    sessions: Mapping[str, int]
    n_shared: int
    n_unique: int
    image_size: int = IMAGE_SIZE  # rows and columns


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
    """How a subject's brain is made."""

    n_sessions: int
    planted: Sequence[Planted] = ()  # at most one per region; none, and the betas are noise
    signal: float = 1.0  # amplitude of the planted signals; 1 gives the drawn ncsnr
    ncsnr: tuple[float, float] = (0.3, 1.2)  # bounds between which that of a voxel is drawn
    max_labelled: int | None = None  # most voxels of named regions in nsdgeneral, shared out
    n_unlabelled: int = 300  # voxels without a region that get betas, inside nsdgeneral
    n_outside: int = 200  # and outside
    spread: float = 1.5  # standard deviation of the betas in percent signal change
    n_saturated: int = 5  # numbers per session that are beyond int16
    formats: Sequence[BetaFormat] = ("hdf5",)
