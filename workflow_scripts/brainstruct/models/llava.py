"""LLaVA-1.5: CLIP's ViT-L at 336 pixels, a two-layer projector, and LLaMA (Vicuna).

Every patch of the image becomes one token of the prompt. The prompt is that of
the published checkpoint: "USER: ", image, instruction, "ASSISTANT:", each on a
line of its own. All states are those of the language model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration

from brainstruct.errors import InputError
from brainstruct.models import tokens
from brainstruct.models.files import fetch_cure, image_settings, load_processor, read_config
from brainstruct.models.interface import ModelOptions
from brainstruct.models.loading import load_network, require_image_effect
from brainstruct.models.responding import RespondingModel

IMAGE_TOKEN = "<image>"
TEMPLATE = f"USER: {IMAGE_TOKEN}\n{{instruction}}\nASSISTANT:"


class Llava(RespondingModel):
    """LLaVA-1.5; see `RespondingModel` for its attributes."""

    @classmethod
    def load(cls, options: ModelOptions) -> Llava:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config: Any = read_config(folder, "llava", LlavaConfig)
        images = load_processor(CLIPImageProcessorPil, folder)
        _require_parts(folder, config, images)
        tokenizer = tokens.load_tokenizer(folder)
        image_id = tokens.token_id(folder, tokenizer, IMAGE_TOKEN)
        network = load_network(LlavaForConditionalGeneration, config, options)
        model = cls(
            options,
            network,
            network.model.language_model,
            images,
            tokenizer,
            end_ids=tokens.end_ids(folder, tokenizer),
            pad_id=tokenizer.eos_token_id,
            forbidden_ids=(image_id,),
        )
        tokens.require_bos(folder, tokenizer, model.prompt_ids("image"))
        require_image_effect(model)
        return model

    def prompt_ids(self, instruction: str) -> list[int]:
        """Return the token ids of a prompt, the image's for each patch (and the class token)."""
        config = self.network.config
        n_patches = (config.vision_config.image_size // config.vision_config.patch_size) ** 2
        n_image_tokens = n_patches + int(config.vision_feature_select_strategy == "full")
        text = TEMPLATE.format(instruction=instruction)
        text = text.replace(IMAGE_TOKEN, IMAGE_TOKEN * n_image_tokens, 1)
        ids: list[int] = self.tokenizer(text)["input_ids"]
        return ids


def _require_parts(folder: Path, config: Any, images: Any) -> None:
    """Refuse parts of another kind, and images of a size that the vision tower does not take."""
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
    seen, size = dict(images.crop_size), config.vision_config.image_size
    if seen != {"height": size, "width": size}:
        raise InputError(
            image_settings(folder),
            f"crops images to {seen['height']} x {seen['width']} pixels, the vision tower "
            f"takes {size}",
            fetch_cure(folder),
        )
