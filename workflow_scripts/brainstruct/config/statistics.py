"""Comparisons, variance partitioning and concept groups."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from brainstruct.settings.base import Block


class Statistics(Block):
    """Comparisons of feature spaces, by resampling test images.

    Attributes
    ----------
    n_draws : int
        Bootstrap samples.
    compare : "all" or list of pairs of str
        Models that are compared: the first minus the second. ``all``: each with
        every other, of which at least one has trained weights.
    control : str
        What tables control when they count voxels that are predicted better than
        chance: the false discovery rate (``fdr``), or the family-wise error over
        all voxels (``fwe``), by the largest statistic.
    """

    n_draws: PositiveInt = Field(default=1000, ge=100)
    compare: Literal["all"] | list[tuple[str, str]] = "all"
    control: Literal["fdr", "fwe"] = "fdr"


class CrossSubject(Block):
    """The cross-subject noise ceiling.

    Attributes
    ----------
    folds, inner_folds : int
        Folds within the shared images, and within their training part.
    curve : str
        How prediction grows with subjects: ``spearman_brown``, as a mean of
        noisy views does, or ``exponential``, the published shape, whose
        asymptote is low.
    extrapolate_images : bool
        Whether to extrapolate to infinitely many training images as well.
    n_bootstraps : int
        Draws of images and of subsets of subjects.
    subsets_per_size : int
        At most so many subsets of each size.
    """

    folds: int = Field(default=5, ge=2)
    inner_folds: int = Field(default=4, ge=2)
    curve: Literal["spearman_brown", "exponential"] = "spearman_brown"
    extrapolate_images: bool = True
    n_bootstraps: PositiveInt = 100
    subsets_per_size: PositiveInt = 10


class PartitionSettings(Block):
    """Variance partitioning of pairs of instructions: what decides its numbers.

    Attributes
    ----------
    reference : str
        Instruction that is paired with each other one; ``all``: every pair.
    layer : "best", "region", "voxel" or int
        Each instruction's layer with the best mean CV score, over all voxels
        or within each family of regions; each voxel's best one for all
        instructions together (a joint model per layer: slow); or one for all.
    components : int
        Principal components kept of each feature space.
    shares : list of float
        Shares of the first band that are tried, besides 0 and 1.
    """

    reference: str = "IC"
    layer: Literal["best", "region", "voxel"] | NonNegativeInt = "best"
    components: PositiveInt = 512
    shares: list[float] = Field(default=[0.1, 0.3, 0.5, 0.7, 0.9], min_length=1)

    @field_validator("shares")
    @classmethod
    def _lie_between(cls, shares: list[float]) -> list[float]:
        if len(set(shares)) < len(shares) or not all(0 < share < 1 for share in shares):
            raise ValueError("must each lie between 0 and 1, and stand once: [0.1, 0.5]")
        return shares


class Partition(PartitionSettings):
    """Variance partitioning: what decides it, and how it is run.

    Attributes
    ----------
    threads : int
        Threads of one job.
    """

    threads: PositiveInt = 4
