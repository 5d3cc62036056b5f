"""CLIP: its two towers, as two models of one checkpoint.

States are averaged over tokens: all patches and the class token of the image
tower, begin, words and end of a caption of the text tower. Layer 0 of the image
tower is taken after its first norm (what enters block 1); the last state of
both towers is taken before the final norm, which CLIP applies to one token only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from PIL import Image
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPTextModel,
    CLIPVisionModel,
    PreTrainedTokenizerFast,
)

from brainstruct.models.files import load_processor, read_config
from brainstruct.models.interface import Batch, FeatureModel, Features, ModelOptions
from brainstruct.models.loading import load_network
from brainstruct.models.pooling import mean_state, without_response
from brainstruct.models.registry import Modality
from brainstruct.models.tokens import load_tokenizer, require_bos, require_embedded
from brainstruct.models.towers import ImageTower

_OTHER_PARTS = ("^(text|vision)_model\\.", "^(text|visual)_projection\\.", "^logit_scale$")
"""Of a checkpoint with both towers, what one of them has no use for. (What a
tower itself lacks is still missed.)"""


class ClipImage(ImageTower):
    """CLIP's image tower; see `FeatureModel` for its attributes."""

    @classmethod
    def load(cls, options: ModelOptions) -> ClipImage:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config: Any = read_config(folder, "clip-image", CLIPConfig)
        network = load_network(CLIPVisionModel, config.vision_config, options, unused=_OTHER_PARTS)
        images = load_processor(CLIPImageProcessorPil, folder)
        return cls(options, network, images)


class ClipText(FeatureModel):
    """CLIP's text tower; see `FeatureModel` for its attributes.

    It embeds one text per stimulus. Where a stimulus has several captions, each
    is embedded by itself and whoever embeds a block averages them, so that a
    caption counts the same however long it is.
    """

    modality: ClassVar[Modality] = "text"

    def __init__(
        self, options: ModelOptions, network: Any, tokenizer: PreTrainedTokenizerFast
    ) -> None:
        super().__init__(options, network, network)
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, options: ModelOptions) -> ClipText:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config: Any = read_config(folder, "clip-text", CLIPConfig)
        tokenizer = load_tokenizer(folder)
        require_bos(folder, tokenizer, tokenizer("image")["input_ids"])
        network = load_network(CLIPTextModel, config.text_config, options, unused=_OTHER_PARTS)
        return cls(options, network, tokenizer)

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:  # noqa: ARG002
        """Turn texts into tokens, cut at the model's longest; see `FeatureModel.prepare`.

        Padding goes to the right, where causal attention never looks.
        """
        tokens = self._tokenizer(
            list(texts),
            padding=True,
            padding_side="right",
            truncation=True,
            max_length=self.network.config.max_position_embeddings,
            return_tensors="pt",
        )
        embedding = self.network.get_input_embeddings()
        require_embedded(self.options.checkpoint, tokens["input_ids"], embedding)
        return {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}

    def forward(self, batch: Batch) -> Features:
        """Embed a batch: in every layer, the mean over the tokens of a text."""
        inputs = self.on_device(batch)
        with torch.inference_mode():
            layers = self.network(**inputs, output_hidden_states=True).hidden_states
        mask = inputs["attention_mask"]
        pooled = torch.stack([mean_state(states, mask) for states in layers], dim=1)
        return without_response(pooled, mask.sum(1))
