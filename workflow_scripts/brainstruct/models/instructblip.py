"""InstructBLIP: ViT-g, an instruction-aware Q-Former, and LLaMA (Vicuna).

The instruction is read twice: by the Q-Former, which picks what it takes from
the image, and by the language model, after the image tokens. The prompt is the
bare instruction. All states are those of the language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from transformers import (
    BlipImageProcessorPil,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    PreTrainedTokenizerFast,
)

from brainstruct.errors import InputError
from brainstruct.models import loading
from brainstruct.models.interface import Batch, ModelOptions
from brainstruct.models.responding import RespondingModel, shared_instruction


class InstructBlip(RespondingModel):
    """InstructBLIP with a LLaMA decoder; see `RespondingModel` for its attributes."""

    def __init__(
        self,
        options: ModelOptions,
        network: Any,
        images: BlipImageProcessorPil,
        tokenizer: PreTrainedTokenizerFast,
        qformer_tokenizer: PreTrainedTokenizerFast,
    ) -> None:
        super().__init__(
            options,
            network,
            network.language_model.model,
            tokenizer,
            end_ids=loading.end_ids(options.checkpoint, tokenizer),
            pad_id=tokenizer.eos_token_id,
            forbidden_ids=(network.config.image_token_id,),
        )
        self._images = images
        self._qformer_tokenizer = qformer_tokenizer

    @classmethod
    def load(cls, options: ModelOptions) -> InstructBlip:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        raw = loading.read_checkpoint(folder, "instructblip")
        config: Any = InstructBlipConfig.from_dict(raw)
        if config.text_config.model_type != "llama":
            raise InputError(
                folder / "config.json",
                f"the language model is {config.text_config.model_type!r}; responses are pooled "
                "from decoder-only models of the LLaMA kind",
                "Use a Vicuna checkpoint, e.g. Salesforce/instructblip-vicuna-7b",
            )
        loading.require_layers(folder, config.text_config.num_hidden_layers + 1, options)
        if config.image_token_id is None:
            raise InputError(
                folder / "config.json",
                "names no image token (image_token_index)",
                "Fetch a revision of the checkpoint from November 2024 or later",
            )
        tokenizer = loading.load_tokenizer(folder)
        loading.require_bos(folder, tokenizer, tokenizer("image")["input_ids"])
        model = cls(
            options,
            loading.load_network(InstructBlipForConditionalGeneration, config, options),
            BlipImageProcessorPil.from_pretrained(folder, local_files_only=True),
            tokenizer,
            loading.load_tokenizer(folder / "qformer_tokenizer"),
        )
        loading.require_image_effect(model, folder)
        return model

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Write the prompt: image tokens, BOS, instruction; see `FeatureModel.prepare`."""
        instruction = shared_instruction(texts)
        config = self.network.config
        image_tokens = [config.image_token_id] * config.num_query_tokens
        prompt = torch.tensor([image_tokens + self.tokenizer(instruction)["input_ids"]])
        question = torch.tensor([self._qformer_tokenizer(instruction)["input_ids"]])
        n_stimuli = len(images)
        return {
            "pixel_values": self._images(list(images), return_tensors="pt")["pixel_values"],
            "input_ids": prompt.expand(n_stimuli, -1),
            "attention_mask": torch.ones_like(prompt).expand(n_stimuli, -1),
            "qformer_input_ids": question.expand(n_stimuli, -1),
            "qformer_attention_mask": torch.ones_like(question).expand(n_stimuli, -1),
        }
