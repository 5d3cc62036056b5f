"""IDEFICS (v1): CLIP's ViT-H, a perceiver resampler, and LLaMA with gated cross-attention.

Image features enter the decoder through cross-attention layers between its
blocks, not as tokens. The prompt is that of the published code: "User:
{instruction}", image, end of utterance, "Assistant:".
"""

from collections.abc import Sequence
from typing import Self

import torch
from PIL import Image
from transformers import IdeficsConfig, IdeficsForVisionText2Text, IdeficsImageProcessorPil

from brainstruct.models import tokens
from brainstruct.models.files import as_config, load_processor, read_checkpoint
from brainstruct.models.interface import Batch, ModelOptions
from brainstruct.models.loading import load_network, require_sound
from brainstruct.models.responding import RespondingModel

IMAGE_TOKEN = "<image>"
FAKE_TOKEN = "<fake_token_around_image>"
END_OF_UTTERANCE = "<end_of_utterance>"


class Idefics(RespondingModel):
    """IDEFICS v1; see `RespondingModel` for its attributes.

    Layer 0 is the output of ``embed_tokens``: the first state that the library
    reports is taken after the first cross-attention layer instead.
    """

    usual_template = f"User: {{instruction}}{{image}}{END_OF_UTTERANCE}\nAssistant:"
    image_mark = f"{FAKE_TOKEN}{IMAGE_TOKEN}{FAKE_TOKEN}"

    @classmethod
    def load(cls, options: ModelOptions) -> Self:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = as_config(folder, read_checkpoint(folder, "idefics"), IdeficsConfig)
        tokenizer = tokens.load_tokenizer(folder)
        image_id, fake_id, end_of_utterance = (
            tokens.token_id(folder, tokenizer, token)
            for token in (IMAGE_TOKEN, FAKE_TOKEN, END_OF_UTTERANCE)
        )
        network = load_network(IdeficsForVisionText2Text, config, options)
        model = cls(
            options,
            network,
            network.model,
            load_processor(IdeficsImageProcessorPil, folder),
            tokenizer,
            end_ids=tokens.end_ids(folder, tokenizer, (end_of_utterance,)),
            pad_id=tokenizer.eos_token_id,
            forbidden_ids=(image_id, fake_id),
        )
        tokens.require_bos(folder, tokenizer, model.prompt_ids("image"))
        require_sound(model)
        return model

    def prompt_ids(self, instruction: str) -> list[int]:
        """Return the token ids of a prompt with one image."""
        prompt = f"{self.tokenizer.bos_token}{self.prompt(instruction.strip(' '))}"
        ids: list[int] = self.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return ids

    def beside_prompt(self, instruction: str, ids: torch.Tensor) -> Batch:  # noqa: ARG002
        """Say which tokens see the image: as in training, none that stands before it."""
        image_id = self.tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
        return {"image_attention_mask": (ids == image_id).cumsum(1)[:, :, None]}

    def pixels(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Return pixels [stimulus, image, ...]; this processor alone returns the bare tensor."""
        pixels: torch.Tensor = self._images(list(images), return_tensors="pt")
        return pixels[:, None]
