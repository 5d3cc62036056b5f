"""InstructBLIP: ViT-g, an instruction-aware Q-Former, and LLaMA (Vicuna).

The instruction is read twice: by the Q-Former, which picks what it takes from
the image, and by the language model, after the image tokens. The prompt is the
bare instruction. All states are those of the language model.
"""

from typing import Any, Self

import torch
from transformers import (
    BlipImageProcessorPil,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    PreTrainedTokenizerFast,
)

from brainstruct.errors import InputError
from brainstruct.models import tokens
from brainstruct.models.files import as_config, load_processor, read_checkpoint
from brainstruct.models.interface import Batch, ModelOptions
from brainstruct.models.loading import load_network, require_sound
from brainstruct.models.responding import RespondingModel


class InstructBlip(RespondingModel):
    """InstructBLIP with a LLaMA decoder; see `RespondingModel` for its attributes."""

    usual_template = "{instruction}"
    image_mark = ""  # it stands before the whole prompt
    _qformer_tokenizer: PreTrainedTokenizerFast

    @classmethod
    def load(cls, options: ModelOptions) -> Self:
        """Read and check the checkpoint; see `FeatureModel.load`."""
        folder = options.checkpoint
        config: Any = as_config(folder, read_checkpoint(folder, "instructblip"), InstructBlipConfig)
        if config.text_config.model_type != "llama":
            raise InputError(
                folder / "config.json",
                f"the language model is {config.text_config.model_type!r}; responses are pooled "
                "from decoder-only models of the LLaMA kind",
                "Use a Vicuna checkpoint, e.g. Salesforce/instructblip-vicuna-7b",
            )
        tokenizer = tokens.load_tokenizer(folder)
        tokens.require_bos(folder, tokenizer, tokenizer("image")["input_ids"])
        network = load_network(InstructBlipForConditionalGeneration, config, options)
        model = cls(
            options,
            network,
            network.language_model.model,
            load_processor(BlipImageProcessorPil, folder),
            tokenizer,
            end_ids=tokens.end_ids(folder, tokenizer),
            pad_id=tokenizer.eos_token_id,
            forbidden_ids=(config.image_token_id,),
        )
        model._qformer_tokenizer = tokens.load_tokenizer(folder / "qformer_tokenizer")
        require_sound(model)
        return model

    def prompt_ids(self, instruction: str) -> list[int]:
        """Return the token ids of a prompt: image tokens, BOS, instruction."""
        config = self.network.config
        return [config.image_token_id] * config.num_query_tokens + super().prompt_ids(instruction)

    def beside_prompt(self, instruction: str, ids: torch.Tensor) -> Batch:  # noqa: ARG002
        """Return the instruction as the Q-Former reads it."""
        question = torch.tensor([self._qformer_tokenizer(self.prompt(instruction))["input_ids"]])
        words = self.network.qformer.embeddings.word_embeddings
        tokens.require_embedded(self.options.checkpoint / "qformer_tokenizer", question, words)
        return {
            "qformer_input_ids": question,
            "qformer_attention_mask": torch.ones_like(question),
        }
