"""What a data set answers in jobs, once it is opened; see `brainstruct.datasets.interface`.

Light to import: what arrays are made of is named for annotations alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray
    from PIL import Image

    from brainstruct.brain.images import Grid

Side: TypeAlias = Literal["lh", "rh"]
SIDES: tuple[Side, Side] = ("lh", "rh")


@dataclass(frozen=True)
class Trials:
    """Responses to trials that are scaled together, because they were measured together."""

    betas: NDArray[Any]  # [trial, voxel]: estimated responses, as stored
    unit: float = 1.0  # what is stored for one unit of the response
    # [trial, voxel]: False where the response is not known; by default where it is not finite.
    valid: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class NoiseCeiling:
    """The signal-to-noise ratio of single trials that comes with a data set."""

    # [voxel]: standard deviation of the signal over that of the noise; NaN: not known.
    ncsnr: NDArray[np.float32]
    trials: pd.DataFrame  # it was estimated from, as of `Reader.trials`
    repetitions: int | None = None  # of the images it was estimated from; by default two or more


@dataclass(frozen=True)
class Family:
    """A family of regions, which do not overlap."""

    name: str  # for example ``floc-faces``
    numbers: NDArray[np.int16]  # [voxel]: label number; 0 and below: unlabelled
    names: Mapping[int, str]  # number -> name. A subject may lack some of them: they mark no place


class Pixels(Protocol):
    """The images of a data set, by id."""

    def size_of(self, stimulus: int) -> tuple[int, int]:
        """Return rows and columns."""
        ...

    def image(self, stimulus: int) -> Image.Image:
        """Return the image as RGB."""
        ...


class Reader(ABC):
    """Reads a data set. All errors that a user can mend are `InputError`."""

    @abstractmethod
    def stimuli(self, image_set: str) -> pd.DataFrame:
        """List the images of a set, by design, ascending.

        Columns are ``stimulus``; ``shown``, whether anybody saw it in what was measured;
        ``test_set``, the name of the one it belongs to, or nothing: encoding models are fitted
        to it; and the data set's own (its source, its group), which lists of images keep.
        """

    @abstractmethod
    def trials(self, subject: str) -> pd.DataFrame:
        """List the trials of a subject in their order: ``session``, ``run``, ``stimulus``."""

    @abstractmethod
    def pixels(self) -> AbstractContextManager[Pixels]:
        """Open the images; they may be asked for from another thread."""

    def captions(self, stimuli: pd.DataFrame) -> dict[int, list[str]]:
        """Return the captions of stimuli, rows of `stimuli`, by id in their order."""
        raise NotImplementedError("the data set has no captions")

    @abstractmethod
    def betas(self, subject: str, mask: str) -> Iterator[Trials]:
        """Read responses to all trials in their order, in pieces that are scaled together."""

    @abstractmethod
    def places(self, subject: str, mask: str) -> xr.Dataset:
        """Return the places of a mask: coordinates on ``voxel``.

        In a volume these are ``i``, ``j`` and ``k``, and the attribute ``volume_shape``.
        """

    def noise_ceiling(self, subject: str, mask: str) -> NoiseCeiling | None:
        """Return what is known of the noise; `None`: it is estimated from repetitions."""
        return None

    def facts(self, subject: str) -> dict[str, Any]:
        """Return what else files of responses shall say of a subject, as attributes."""
        return {}

    def regions(self, subject: str, families: Sequence[str], places: xr.Dataset) -> list[Family]:
        """Return families of regions at places, as `places` gave them."""
        return [self.region(subject, family, places) for family in families]

    def region(self, subject: str, family: str, places: xr.Dataset) -> Family:
        """Return one family of regions at places."""
        raise NotImplementedError("the data set has no regions")

    # Where places lie, if they do.

    def grid(self, subject: str, mask: str, shape: Sequence[int]) -> Grid:
        """Return where voxels lie, of volumes that have a shape."""
        raise NotImplementedError("the data set has no volumes")

    def vertices(self, subject: str, mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
        """Return where the vertices of both hemispheres lie, checked with a mask [i, j, k].

        Each is [depth, vertex, (i, j, k)], in voxels from 0; NaN: outside.
        """
        raise NotImplementedError("the data set has no surfaces")

    def average_vertices(self, subject: str, side: Side, n_vertices: int) -> NDArray[np.int64]:
        """Return the subject's vertex, of `n_vertices`, for each vertex of fsaverage."""
        raise NotImplementedError("the data set has no surfaces")
