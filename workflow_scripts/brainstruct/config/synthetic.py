"""The ``synthetic`` block: a data set and checkpoints that the workflow writes itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from brainstruct.models.builders import BUILDERS
from brainstruct.settings.base import Block, Key, Name, Subject
from brainstruct.settings.suggest import one_of


class TinyCheckpoint(Block):
    """A tiny checkpoint with random weights, in the layout of the real ones.

    Attributes
    ----------
    kind : str
        Which builder makes it.
    seed : int
        Seed of its weights.
    sizes : mapping
        Sizes handed to the builder (for instance ``n_blocks``, ``width``).
    """

    kind: Annotated[str, one_of("kind", BUILDERS)]
    seed: int = 0
    sizes: dict[str, int] = {}


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


class Synthetic(Block):
    """A study whose truth is known.

    Attributes
    ----------
    seed : int
        Seed of stimuli, design and betas.
    sessions : mapping
        Sessions written per subject.
    shared_images, unique_images : int
        Images shown to all, and to each subject alone; with three repetitions
        they fill the longest subject's sessions of 750 trials.
    formats : list of str
        Formats in which the betas are written.
    anatomy_subject, anatomy_transform : str
        pycortex subject whose regions are used.
    regions : list of str or None
        Regions of the anatomy that the mask covers; `None`: all it has.
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
    checkpoints : mapping
        Tiny checkpoints to build, by name.
    """

    seed: int
    sessions: dict[Subject, PositiveInt] = Field(min_length=1)
    shared_images: PositiveInt
    unique_images: PositiveInt
    formats: list[Literal["hdf5", "nifti"]] = ["hdf5"]
    anatomy_subject: Name = "S1"
    anatomy_transform: Name = "fullhead"
    regions: list[str] | None = None
    max_labelled: PositiveInt = 2500
    n_unlabelled: NonNegativeInt = 300
    signal: float = Field(default=1.0, ge=0)
    ncsnr: tuple[float, float] = (0.6, 1.4)
    planted: list[Planted] = []
    checkpoints: dict[Key, TinyCheckpoint] = {}
