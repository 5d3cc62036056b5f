"""ViT: a transformer that has seen images only.

States are averaged over all tokens, the class token included, as in the
published code of the study. The last of them is taken before the final norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from PIL import Image
from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

from brainstruct.models import loading
from brainstruct.models.interface import Batch, FeatureModel, Features, ModelOptions
from brainstruct.models.registry import Modality
from brainstruct.models.towers import tower_features


class VisionTransformer(FeatureModel):
    """A ViT; see `FeatureModel` for its attributes."""

    modality: ClassVar[Modality] = "image"

    def __init__(self, options: ModelOptions, network: Any, images: ViTImageProcessorPil) -> None:
        self.options = options
        self.network = network
        self.n_layers = network.config.num_hidden_layers + 1
        self.feature_dim = network.config.hidden_size
        self.device, self.dtype = loading.placement(options)
        self._images = images

    @classmethod
    def load(cls, options: ModelOptions) -> VisionTransformer:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = ViTConfig.from_dict(loading.read_config(folder, {"vit"}))
        loading.require_files(folder, ("preprocessor_config.json", "processor_config.json"))
        loading.require_layers(folder, config.num_hidden_layers + 1, options)
        # Checkpoints come with the head they were trained with.
        network = loading.load_network(
            ViTModel, config, options, unused=("^pooler", "^classifier"), add_pooling_layer=False
        )
        images = ViTImageProcessorPil.from_pretrained(folder, local_files_only=True)
        return cls(options, network, images)

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:  # noqa: ARG002
        """Turn images into pixels; see `FeatureModel.prepare`."""
        return {"pixel_values": self._images(list(images), return_tensors="pt")["pixel_values"]}

    def forward(self, batch: Batch) -> Features:
        """Embed a batch; see `FeatureModel.forward`."""
        pixels = self.on_device(batch)["pixel_values"]
        with torch.inference_mode():
            output = self.network(pixel_values=pixels, output_hidden_states=True)
        return tower_features(output.hidden_states)
