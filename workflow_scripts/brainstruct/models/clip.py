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

from brainstruct.models import loading
from brainstruct.models.interface import Batch, Features, ModelOptions
from brainstruct.models.registry import Modality
from brainstruct.models.towers import ImageTower, Tower, tower_features

_OTHER_PARTS = ("^(text|vision)_model\\.", "^(text|visual)_projection\\.", "^logit_scale$")
"""Of a checkpoint with both towers, what one of them has no use for. (What a
tower itself lacks is still missed.)"""


def _read_config(options: ModelOptions, family: str) -> Any:
    """Return the configuration of both towers."""
    return CLIPConfig.from_dict(loading.read_checkpoint(options.checkpoint, family))


class ClipImage(ImageTower):
    """CLIP's image tower; see `FeatureModel` for its attributes."""

    @classmethod
    def load(cls, options: ModelOptions) -> ClipImage:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = _read_config(options, "clip-image").vision_config
        loading.require_layers(folder, config.num_hidden_layers + 1, options)
        network = loading.load_network(CLIPVisionModel, config, options, unused=_OTHER_PARTS)
        images = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
        return cls(options, network, images)


class ClipText(Tower):
    """CLIP's text tower; see `FeatureModel` for its attributes.

    It embeds one text per stimulus. Where a stimulus has several captions, each
    is embedded by itself and whoever embeds a block averages them, so that a
    caption counts the same however long it is.
    """

    modality: ClassVar[Modality] = "text"

    def __init__(
        self, options: ModelOptions, network: Any, tokenizer: PreTrainedTokenizerFast
    ) -> None:
        super().__init__(options, network)
        self._tokenizer = tokenizer
        self._max_tokens = network.config.max_position_embeddings

    @classmethod
    def load(cls, options: ModelOptions) -> ClipText:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = _read_config(options, "clip-text").text_config
        loading.require_layers(folder, config.num_hidden_layers + 1, options)
        tokenizer = loading.load_tokenizer(folder)
        loading.require_bos(folder, tokenizer, tokenizer("image")["input_ids"])
        network = loading.load_network(CLIPTextModel, config, options, unused=_OTHER_PARTS)
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
            max_length=self._max_tokens,
            return_tensors="pt",
        )
        return {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}

    def forward(self, batch: Batch) -> Features:
        """Embed a batch; see `FeatureModel.forward`."""
        inputs = self.on_device(batch)
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        with torch.inference_mode():
            output = self.network(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        return tower_features(output.hidden_states, mask)
