"""Encoders of images, which read a stimulus once and respond nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from PIL import Image

from brainstruct.models.interface import Batch, FeatureModel, Features, ModelOptions
from brainstruct.models.pooling import without_response
from brainstruct.models.registry import Modality


class ImageTower(FeatureModel):
    """An encoder of images; a family says how a checkpoint is read, and what makes pixels."""

    modality: ClassVar[Modality] = "image"

    def __init__(self, options: ModelOptions, network: Any, images: Any) -> None:
        super().__init__(options, network, network)
        self._images = images

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:  # noqa: ARG002
        """Turn images into pixels; see `FeatureModel.prepare`."""
        return {"pixel_values": self._images(list(images), return_tensors="pt")["pixel_values"]}

    def forward(self, batch: Batch) -> Features:
        """Embed a batch: in every layer, the mean over all tokens."""
        pixels = self.on_device(batch)["pixel_values"]
        with torch.inference_mode():
            layers = self.network(pixel_values=pixels, output_hidden_states=True).hidden_states
        pooled = torch.stack([states.float().mean(1) for states in layers], dim=1)
        n_stimuli, n_tokens = layers[0].shape[:2]
        return without_response(pooled, torch.full((n_stimuli,), n_tokens))
