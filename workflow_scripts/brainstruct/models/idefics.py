"""IDEFICS (v1): CLIP's ViT-H, a perceiver resampler, and LLaMA with gated cross-attention.

Image features enter the decoder through cross-attention layers between its
blocks, not as tokens. The prompt is that of the published code: "User:
{instruction}", image, end of utterance, "Assistant:".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from transformers import (
    IdeficsConfig,
    IdeficsForVisionText2Text,
    IdeficsImageProcessorPil,
    PreTrainedTokenizerFast,
)

from brainstruct.models import loading
from brainstruct.models.interface import Batch, ModelOptions
from brainstruct.models.responding import RespondingModel, shared_instruction

IMAGE_TOKEN = "<image>"
FAKE_TOKEN = "<fake_token_around_image>"
END_OF_UTTERANCE = "<end_of_utterance>"


class Idefics(RespondingModel):
    """IDEFICS v1; see `RespondingModel` for its attributes.

    Layer 0 is the output of ``embed_tokens``: the first state that the library
    reports is taken after the first cross-attention layer instead.
    """

    def __init__(
        self,
        options: ModelOptions,
        network: Any,
        images: IdeficsImageProcessorPil,
        tokenizer: PreTrainedTokenizerFast,
    ) -> None:
        folder = options.checkpoint
        self._image_id = loading.token_id(folder, tokenizer, IMAGE_TOKEN)
        fake_id = loading.token_id(folder, tokenizer, FAKE_TOKEN)
        end_of_utterance = loading.token_id(folder, tokenizer, END_OF_UTTERANCE)
        super().__init__(
            options,
            network,
            network.model,
            tokenizer,
            end_ids=loading.end_ids(folder, tokenizer, (end_of_utterance,)),
            pad_id=tokenizer.eos_token_id,
            forbidden_ids=(self._image_id, fake_id),
        )
        self._images = images

    @classmethod
    def load(cls, options: ModelOptions) -> Idefics:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = IdeficsConfig.from_dict(loading.read_checkpoint(folder, "idefics"))
        loading.require_layers(folder, config.num_hidden_layers + 1, options)
        tokenizer = loading.load_tokenizer(folder)
        model = cls(
            options,
            loading.load_network(IdeficsForVisionText2Text, config, options),
            IdeficsImageProcessorPil.from_pretrained(folder, local_files_only=True),
            tokenizer,
        )
        loading.require_bos(folder, tokenizer, model.prompt_ids("image"))
        loading.require_image_effect(model, folder)
        return model

    def prompt_ids(self, instruction: str) -> list[int]:
        """Return the token ids of a prompt with one image."""
        prompt = (
            f"{self.tokenizer.bos_token}User: {instruction.strip(' ')}"
            f"{FAKE_TOKEN}{IMAGE_TOKEN}{FAKE_TOKEN}{END_OF_UTTERANCE}\nAssistant:"
        )
        ids: list[int] = self.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return ids

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Write the prompt and say which tokens see the image; see `FeatureModel.prepare`."""
        ids = torch.tensor([self.prompt_ids(shared_instruction(texts))])
        # As in training: what stands before the image does not see it.
        sees_image = (ids == self._image_id).cumsum(1)[:, :, None]
        # This processor alone returns the bare tensor.
        pixels: Any = self._images(list(images), return_tensors="pt")
        n_stimuli = len(images)
        return {
            "pixel_values": pixels[:, None],
            "input_ids": ids.expand(n_stimuli, -1),
            "attention_mask": torch.ones_like(ids).expand(n_stimuli, -1),
            "image_attention_mask": sees_image.expand(n_stimuli, -1, -1),
        }
