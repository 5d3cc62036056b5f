"""How encoding models are fitted and their scores normalised."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from brainstruct.settings.base import Block


class Alphas(Block):
    """A logarithmic grid of ridge penalties.

    Attributes
    ----------
    log10_min, log10_max : float
        Decimal logarithms of the smallest and largest penalty.
    count : int
        How many, both ends included.
    """

    log10_min: float = Field(default=0.0, ge=-30, le=30)
    log10_max: float = Field(default=6.0, ge=-30, le=30)
    count: PositiveInt = 25

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if not self.log10_min < self.log10_max:
            raise ValueError(
                f"'log10_min' ({self.log10_min}) must be below 'log10_max' ({self.log10_max})"
            )
        return self


class FitSettings(Block):
    """What decides the scores of a ridge regression.

    Attributes
    ----------
    preset : "oota2025" or None
        A published pipeline to repeat. It has penalties, folds, scaling and a
        layer rule of its own: `alphas`, `folds`, `alpha_score`, `solver` and
        ``alignment.layers`` are then without effect on fits.
    solver : str
        ``gram``: this project's solver on himalaya's backends; ``himalaya``: its
        own ``RidgeCV``. The same answer to rounding, at different speed.
    alphas : Alphas
        Penalties tried, per voxel.
    folds : int
        Cross-validation folds within the training images.
    alpha_score : str
        What cross-validation maximises: negative squared error, R2 or Pearson's r.
    permutations : int
        About how many permutations of the test images are behind each voxel's
        p-value (a multiple of the number of images); 0: none, no p-values. With
        fewer than 500, p is never under 1 / their number.
    weights : "repetitions" or None
        Whether a training image counts in fits by its number of trials, where these
        differ. Of the solver ``gram``.
    """

    preset: Literal["oota2025"] | None = None
    solver: Literal["gram", "himalaya"] = "gram"
    alphas: Alphas = Alphas()
    folds: int = Field(default=5, ge=2)
    alpha_score: Literal["l2_neg_loss", "r2_score", "correlation_score"] = "l2_neg_loss"
    permutations: NonNegativeInt = 1000
    weights: Literal["repetitions"] | None = None

    @model_validator(mode="after")
    def _can_weight(self) -> Self:
        if self.weights and (self.preset or self.solver != "gram"):
            raise ValueError("'weights' is of the solver 'gram' alone, without 'preset'")
        return self


class Encoding(FitSettings):
    """The ridge regression: what decides it, and how it is run.

    Attributes
    ----------
    layers_per_job : "all" or int
        Layers that one cluster job fits.
    targets_per_batch : int
        Voxels that himalaya works on at once; bounds memory.
    threads : int
        Threads of a job that fits, or embeds on a CPU.
    backend : str
        What computes: ``auto`` is the GPU that a job holds, else PyTorch on the CPU;
        ``torch`` and ``numpy`` are on the CPU whatever it holds.
    gpus : int
        GPUs that each job asks for which fits or partitions, 0 or 1.
    stage_embeddings : bool
        Whether fits read copies of embeddings on their machine's own disk (``TMPDIR``).
    """

    layers_per_job: Literal["all"] | PositiveInt = "all"
    targets_per_batch: PositiveInt = 2000
    threads: PositiveInt = 4
    backend: Literal["auto", "torch", "numpy"] = "auto"
    gpus: Literal[0, 1] = 0
    stage_embeddings: bool = False


class Divisor(Block):
    """What scores are divided by, whichever layers they are of.

    Attributes
    ----------
    ceiling : str
        Noise ceiling that scores are divided by; both are stored.
    ceiling_threshold : "auto" or float
        Voxels with a ceiling below it, or of 0, are excluded, and counted. ``auto``: what
        95 % of voxels without signal stay below.
    """

    ceiling: Literal["ncsnr", "cross_subject"] = "ncsnr"
    ceiling_threshold: Literal["auto"] | Annotated[float, Field(ge=0, lt=1)] = "auto"


class Alignment(Divisor):
    """From scores to normalised brain alignment.

    Attributes
    ----------
    layers : str
        ``best``: each voxel's layer with the best training CV score;
        ``mean``: the mean over all fitted layers.
    """

    layers: Literal["best", "mean"] = "best"
