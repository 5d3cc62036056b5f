"""Encoders, which read a stimulus once and respond nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from PIL import Image

from brainstruct.models.interface import Batch, FeatureModel, Features, ModelOptions
from brainstruct.models.loading import placement
from brainstruct.models.registry import Modality


class Tower(FeatureModel):
    """An encoder; a family says how a checkpoint is read and how it is run.

    Parameters
    ----------
    options : ModelOptions
        How the model was loaded.
    network : transformers.PreTrainedModel
        Loaded and placed.
    """

    def __init__(self, options: ModelOptions, network: Any) -> None:
        self.options = options
        self.network = network
        self.n_layers = network.config.num_hidden_layers + 1
        self.feature_dim = network.config.hidden_size
        self.device, self.dtype = placement(options)


class ImageTower(Tower):
    """An encoder of images.

    Parameters
    ----------
    options, network
        As in `Tower`.
    images : image processor of transformers
        Makes pixels.
    """

    modality: ClassVar[Modality] = "image"

    def __init__(self, options: ModelOptions, network: Any, images: Any) -> None:
        super().__init__(options, network)
        self._images = images

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:  # noqa: ARG002
        """Turn images into pixels; see `FeatureModel.prepare`."""
        return {"pixel_values": self._images(list(images), return_tensors="pt")["pixel_values"]}

    def forward(self, batch: Batch) -> Features:
        """Embed a batch; see `FeatureModel.forward`."""
        pixels = self.on_device(batch)["pixel_values"]
        with torch.inference_mode():
            output = self.network(pixel_values=pixels, output_hidden_states=True)
        return tower_features(output.hidden_states)


def tower_features(
    hidden_states: Sequence[torch.Tensor], attention_mask: torch.Tensor | None = None
) -> Features:
    """Average the states of every layer over the tokens of a stimulus.

    Parameters
    ----------
    hidden_states : sequence of torch.Tensor
        Per layer, [stimulus, token, feature].
    attention_mask : torch.Tensor, optional
        [stimulus, token], 1 for tokens and 0 for padding; all are tokens if left out.

    Returns
    -------
    Features
        On the CPU, with empty responses.
    """
    n_stimuli, n_tokens = hidden_states[0].shape[:2]
    if attention_mask is None:
        counts = torch.full((n_stimuli,), n_tokens)
        pooled = [states.float().mean(1) for states in hidden_states]
    else:
        counts = attention_mask.sum(1)
        padding = (attention_mask == 0)[:, :, None]
        pooled = [
            states.float().masked_fill(padding, 0.0).sum(1) / counts[:, None]
            for states in hidden_states
        ]
    return Features(
        states=torch.stack(pooled, dim=1).cpu(),
        responses=[""] * n_stimuli,
        n_tokens=counts.long().cpu(),
        truncated=torch.zeros(n_stimuli, dtype=torch.bool),
    )
