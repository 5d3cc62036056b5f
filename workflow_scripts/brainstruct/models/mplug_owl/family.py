"""mPLUG-Owl as a member of the model families."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from brainstruct.errors import InputError
from brainstruct.models import loading
from brainstruct.models.interface import Batch, ModelOptions
from brainstruct.models.mplug_owl.checkpoint import read_config
from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.mplug_owl.modeling import MPlugOwlForConditionalGeneration
from brainstruct.models.mplug_owl.pixels import ImageProcessor
from brainstruct.models.mplug_owl.prompt import PromptTokenizer
from brainstruct.models.registry import FAMILIES
from brainstruct.models.responding import RespondingModel, shared_instruction


class MPlugOwl(RespondingModel):
    """mPLUG-Owl v1 answers an instruction about an image.

    Layer 0 is the token embeddings of the language model, the last layer is
    taken after its final norm.

    Parameters
    ----------
    options : ModelOptions
        How the model was loaded.
    network : MPlugOwlForConditionalGeneration
        Loaded and placed.
    tokenizer : PromptTokenizer
        Writes prompts and reads responses.
    process : ImageProcessor
        Makes pixels.
    """

    tokenizer: PromptTokenizer  # type: ignore[assignment]

    def __init__(
        self,
        options: ModelOptions,
        network: MPlugOwlForConditionalGeneration,
        tokenizer: PromptTokenizer,
        process: ImageProcessor,
    ) -> None:
        super().__init__(
            options,
            network,
            network.language_model.model,
            tokenizer,
            end_ids=_end_ids(network.config, tokenizer),
            pad_id=tokenizer.eos_id,
        )
        self.process = process

    @classmethod
    def load(cls, options: ModelOptions) -> MPlugOwl:
        """Read a checkpoint in the published layout; see `FeatureModel.load`."""
        folder = options.checkpoint
        config = read_config(folder)
        loading.require_files(folder, *FAMILIES["mplug-owl"].files)
        loading.require_layers(folder, config.text.num_hidden_layers + 1, options)
        tokenizer = PromptTokenizer(folder / "tokenizer.model", config.image_length)
        n_embedded = config.text.vocab_size
        if tokenizer.n_tokens > n_embedded:
            raise InputError(
                folder / "tokenizer.model",
                f"has {tokenizer.n_tokens} tokens, but the model embeds {n_embedded}",
                loading.fetch_cure(folder),
            )
        process = ImageProcessor.read(folder / "preprocessor_config.json", config.vision.image_size)
        network = loading.load_network(MPlugOwlForConditionalGeneration, config, options)
        model = cls(options, network, tokenizer, process)
        loading.require_image_effect(model, folder)
        return model

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Write the prompt and process the images; see `FeatureModel.prepare`."""
        prompt = torch.tensor(self.tokenizer.encode_prompt(shared_instruction(texts)))
        input_ids = prompt.repeat(len(images), 1)
        return {
            "input_ids": input_ids,
            "attention_mask": torch.ones_like(input_ids),
            "pixel_values": self.process(images),
        }

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn the tokens of one response into text."""
        return self.tokenizer.decode(tokens)


def _end_ids(config: MPlugOwlConfig, tokenizer: PromptTokenizer) -> set[int]:
    """Return the tokens that end a response: those of the configuration and the tokenizer's."""
    stated = config.text.eos_token_id
    ids = stated if isinstance(stated, list) else [stated]
    return {tokenizer.eos_id, *(token for token in ids if token is not None)}
