"""LLaVA-1.5: CLIP's ViT-L at 336 pixels, a two-layer projector, and LLaMA (Vicuna).

Every patch of the image becomes one token of the prompt. The prompt is that of
the published checkpoint: "USER: ", image, instruction, "ASSISTANT:", each on a
line of its own. All states are those of the language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from transformers import (
    CLIPImageProcessorPil,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
)

from brainstruct.errors import InputError
from brainstruct.models import loading
from brainstruct.models.interface import Batch, ModelOptions
from brainstruct.models.responding import RespondingModel, shared_instruction

IMAGE_TOKEN = "<image>"
TEMPLATE = f"USER: {IMAGE_TOKEN}\n{{instruction}}\nASSISTANT:"


class Llava(RespondingModel):
    """LLaVA-1.5; see `RespondingModel` for its attributes."""

    def __init__(
        self,
        options: ModelOptions,
        network: Any,
        images: CLIPImageProcessorPil,
        tokenizer: PreTrainedTokenizerFast,
    ) -> None:
        super().__init__(
            options,
            network,
            network.model.language_model,
            tokenizer,
            end_ids=loading.end_ids(options.checkpoint, tokenizer),
            pad_id=tokenizer.eos_token_id,
            forbidden_ids=(network.config.image_token_id,),
        )
        self._images = images
        self._n_image_tokens = _image_tokens(network.config)

    @classmethod
    def load(cls, options: ModelOptions) -> Llava:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config: Any = LlavaConfig.from_dict(loading.read_checkpoint(folder, "llava"))
        for part, found, wanted in (
            ("language model", config.text_config.model_type, "llama"),
            ("vision tower", config.vision_config.model_type, "clip_vision_model"),
        ):
            if found != wanted:
                raise InputError(
                    folder / "config.json",
                    f"the {part} is {found!r}, this family runs {wanted!r}",
                    "Use a checkpoint of LLaVA-1.5, e.g. llava-hf/llava-1.5-7b-hf",
                )
        loading.require_layers(folder, config.text_config.num_hidden_layers + 1, options)
        images = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
        seen, size = dict(images.crop_size), config.vision_config.image_size
        if seen != {"height": size, "width": size}:
            raise InputError(
                folder / "preprocessor_config.json",
                f"crops images to {seen['height']} x {seen['width']} pixels, the vision tower "
                f"takes {size}",
                loading.fetch_cure(folder),
            )
        tokenizer = loading.load_tokenizer(folder)
        image_id = loading.token_id(folder, tokenizer, IMAGE_TOKEN)
        if image_id != config.image_token_id:
            raise InputError(
                folder / "config.json",
                f"image_token_index is {config.image_token_id}, the tokenizer says {image_id}",
                loading.fetch_cure(folder),
            )
        network = loading.load_network(LlavaForConditionalGeneration, config, options)
        model = cls(options, network, images, tokenizer)
        loading.require_bos(folder, tokenizer, model.prompt_ids("image"))
        loading.require_image_effect(model, folder)
        return model

    def prompt_ids(self, instruction: str) -> list[int]:
        """Return the token ids of a prompt with one image, one id per patch."""
        text = TEMPLATE.format(instruction=instruction)
        ids: list[int] = self.tokenizer(
            text.replace(IMAGE_TOKEN, IMAGE_TOKEN * self._n_image_tokens, 1)
        )["input_ids"]
        return ids

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Write the prompt and process the images; see `FeatureModel.prepare`."""
        ids = torch.tensor([self.prompt_ids(shared_instruction(texts))])
        n_stimuli = len(images)
        return {
            "pixel_values": self._images(list(images), return_tensors="pt")["pixel_values"],
            "input_ids": ids.expand(n_stimuli, -1),
            "attention_mask": torch.ones_like(ids).expand(n_stimuli, -1),
        }


def _image_tokens(config: Any) -> int:
    """Return how many tokens an image takes: its patches, and the class token if it is kept."""
    patches = (config.vision_config.image_size // config.vision_config.patch_size) ** 2
    return int(patches) + int(config.vision_feature_select_strategy == "full")
