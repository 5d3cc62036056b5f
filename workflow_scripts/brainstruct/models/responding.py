"""The part that all models share that answer an instruction about an image."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import torch
from PIL import Image

from brainstruct.models.decoding import Decoding
from brainstruct.models.interface import STIMULUS, Batch, FeatureModel, Features, ModelOptions
from brainstruct.models.registry import Modality
from brainstruct.models.response import respond


class RespondingModel(FeatureModel):
    """A model that answers an instruction about an image.

    A family says how a checkpoint is read (`load`) and how a prompt is written
    (`prompt_ids`, `beside_prompt`).

    Parameters
    ----------
    options, network
        As in `FeatureModel`.
    body : torch.nn.Module
        The decoder, see `brainstruct.models.response.respond`.
    images : image processor of transformers
        Makes pixels.
    tokenizer : transformers.PreTrainedTokenizerFast or alike
        Turns response tokens into text.
    end_ids : collection of int
        Tokens that end a response.
    pad_id : int
        What fills rows that have ended.
    forbidden_ids : tuple of int
        Tokens that no response may hold.

    Attributes
    ----------
    decoding : Decoding
        How responses are decoded.
    """

    modality: ClassVar[Modality] = "image+instruction"

    def __init__(
        self,
        options: ModelOptions,
        network: Any,
        body: Any,
        images: Any,
        tokenizer: Any,
        *,
        end_ids: Collection[int],
        pad_id: int,
        forbidden_ids: tuple[int, ...] = (),
    ) -> None:
        super().__init__(options, network, body)
        self.body = body
        self.tokenizer = tokenizer
        self._images = images
        self.decoding = Decoding(
            max_new_tokens=options.max_new_tokens,
            end_ids=frozenset(end_ids),
            sampling=options.sampling,
            pad_id=pad_id,
            forbidden_ids=forbidden_ids,
        )

    @abstractmethod
    def prompt_ids(self, instruction: str) -> list[int]:
        """Return the token ids of a prompt with one image."""

    def beside_prompt(self, instruction: str, ids: torch.Tensor) -> Batch:  # noqa: ARG002
        """Return what the network is given besides the `ids` [1, position]; one row each."""
        return {}

    def pixels(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Return images as the vision tower takes them, the first dimension the stimulus."""
        pixels: torch.Tensor = self._images(list(images), return_tensors="pt")["pixel_values"]
        return pixels

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Write the prompt and process the images; see `FeatureModel.prepare`."""
        instruction = _shared_instruction(texts)
        ids = torch.tensor([self.prompt_ids(instruction)])
        prompt = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            **self.beside_prompt(instruction, ids),
        }
        rows = {name: row.expand(len(images), *row.shape[1:]) for name, row in prompt.items()}
        return {"pixel_values": self.pixels(images), **rows}

    def generate(self, batch: Batch, **settings: Any) -> Any:
        """Run the network's own generation.

        Parameters
        ----------
        batch : Batch
            What `prepare` returned, moved by `on_device`.
        **settings
            All that ``generate`` needs besides: a complete ``generation_config``,
            perhaps a ``logits_processor``.

        Returns
        -------
        torch.Tensor or transformers.generation.GenerateDecoderOnlyOutput
            As the configuration asks: token ids [stimulus, time] or an object with
            ``sequences`` and ``hidden_states``.
        """
        return self.network.generate(**batch, **settings)

    def forward(self, batch: Batch) -> Features:
        """Respond to a batch and pool the decoder's states on the way."""
        inputs = self.on_device(batch)
        stimuli = inputs.pop(STIMULUS, None)
        return respond(
            self.body,
            lambda **settings: self.generate(inputs, **settings),
            self.decode,
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            pooling=self.options.pooling,
            decoding=self.decoding,
            stimuli=stimuli,
        )

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn the tokens of one response into text."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True)).strip()


def _shared_instruction(texts: Sequence[str]) -> str:
    """Return the one instruction of a batch.

    Several would have to be padded to one length, and models with absolute
    positions (the Q-Former of InstructBLIP) then see another prompt than they
    would alone.
    """
    different = set(texts)
    if len(different) != 1:
        raise ValueError(f"a batch takes one instruction for all, got {len(different)}")
    return different.pop()
