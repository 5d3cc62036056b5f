"""ViT: a transformer that has seen images only.

States are averaged over all tokens, the class token included, as in the
published code of the study. The last of them is taken before the final norm.
"""

from __future__ import annotations

from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

from brainstruct.models.files import load_processor, read_config
from brainstruct.models.interface import ModelOptions
from brainstruct.models.loading import load_network
from brainstruct.models.towers import ImageTower


class VisionTransformer(ImageTower):
    """A ViT; see `FeatureModel` for its attributes."""

    @classmethod
    def load(cls, options: ModelOptions) -> VisionTransformer:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = read_config(folder, "vit", ViTConfig)
        # Checkpoints come with the head they were trained with.
        network = load_network(
            ViTModel, config, options, unused=("^pooler", "^classifier"), add_pooling_layer=False
        )
        images = load_processor(ViTImageProcessorPil, folder)
        return cls(options, network, images)
