"""What every model family offers to the rest of the workflow.

A family is one module with one subclass of `FeatureModel` (of
`brainstruct.models.responding.RespondingModel` if it answers instructions),
plus one line in `brainstruct.models.registry`. A model turns a batch of stimuli
into one vector per layer and stimulus; it knows nothing of brains, files of
results or jobs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

import torch
from PIL import Image

from brainstruct.models.registry import Modality

Pooling: TypeAlias = Literal["response_mean", "last_prompt_token", "prompt_mean"]

Batch: TypeAlias = dict[str, torch.Tensor]
"""Model inputs on the CPU; the first dimension of every tensor is the stimulus,
so that a batch can be cut in two when memory runs out."""


@dataclass(frozen=True)
class ModelOptions:
    """How a checkpoint is to be loaded and run.

    Attributes
    ----------
    checkpoint : pathlib.Path
        Folder with config, weights, tokenizer and processor.
    n_layers : int
        Hidden states that the model must have, token embeddings included;
        checked when the model is loaded.
    random_seed : int or None
        Draw the weights from this seed instead of reading them (the random
        baseline); `None` reads the checkpoint's weights.
    pooling : str
        Which token states are averaged, for models that follow instructions.
    max_new_tokens : int
        Longest response, for models that respond.
    device : str
        ``auto`` (CUDA if visible), ``cuda`` or ``cpu``.
    dtype : str
        ``auto`` (bfloat16 on CUDA, float32 on CPU), ``float32``, ``bfloat16``
        or ``float16``.
    """

    checkpoint: Path
    n_layers: int
    random_seed: int | None = None
    pooling: Pooling = "response_mean"
    max_new_tokens: int = 32
    device: str = "auto"
    dtype: str = "auto"


@dataclass(frozen=True)
class Features:
    """What a model says of one batch of stimuli.

    Attributes
    ----------
    states : torch.Tensor
        [stimulus, layer, feature], float32, on the CPU.
    responses : list of str
        Generated text per stimulus; empty strings for models that do not respond.
    n_tokens : torch.Tensor
        [stimulus], int64: tokens averaged (response tokens, prompt tokens,
        patches or caption tokens); 0 marks an empty response, whose state is
        that of the last prompt position.
    truncated : torch.Tensor
        [stimulus], bool: the response was cut at `ModelOptions.max_new_tokens`.
    """

    states: torch.Tensor
    responses: list[str]
    n_tokens: torch.Tensor
    truncated: torch.Tensor


class FeatureModel(ABC):
    """A loaded model, ready to embed batches.

    Attributes
    ----------
    modality : str
        What `prepare` reads.
    options : ModelOptions
        How the model was loaded.
    n_layers, feature_dim : int
        Lengths of the layer and feature dimension of what `forward` returns.
    device : torch.device
        Where the weights are.
    dtype : torch.dtype
        Their precision.
    """

    modality: ClassVar[Modality]
    options: ModelOptions
    n_layers: int
    feature_dim: int
    device: torch.device
    dtype: torch.dtype

    @classmethod
    @abstractmethod
    def load(cls, options: ModelOptions) -> FeatureModel:
        """Read the checkpoint and check it.

        Raises
        ------
        brainstruct.errors.InputError
            If the checkpoint is missing, incomplete, of another family, or has
            not `ModelOptions.n_layers` hidden states.
        """

    @abstractmethod
    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Turn stimuli into model inputs, on the CPU.

        Touches no weights, so that the next batch can be prepared by a thread
        while the model works on this one.

        Parameters
        ----------
        images : sequence of PIL.Image.Image
            RGB, one per stimulus; unused (may be empty) by models of text.
        texts : sequence of str
            For ``image+instruction`` models the instruction, the same for the
            whole batch (mixed prompts would need padding that changes states);
            for ``text`` models one text per stimulus; unused by ``image`` models.
        """

    @abstractmethod
    def forward(self, batch: Batch) -> Features:
        """Embed what `prepare` returned, or a slice of it along the first dimension."""

    def embed(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Features:
        """Prepare and embed one batch; see `prepare` for the parameters."""
        return self.forward(self.prepare(images, texts))
