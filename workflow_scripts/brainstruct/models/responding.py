"""The part that all models share that answer an instruction about an image."""

import logging
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import torch
from PIL import Image

from brainstruct.models.beginning import Beginning, common_length, cut
from brainstruct.models.decoding import Decoding
from brainstruct.models.interface import STIMULUS, Batch, FeatureModel, Features, ModelOptions
from brainstruct.models.pooling import last_state, mean_state, without_response
from brainstruct.models.prompts import thinking_marks, written
from brainstruct.models.registry import Modality
from brainstruct.models.response import Listener
from brainstruct.models.tokens import require_embedded

log = logging.getLogger(__name__)

_ALIKE, _ALIKE_IN_16_BITS = 1e-4, 5e-2
"""Largest relative difference of states that differ by rounding."""


class RespondingModel(FeatureModel):
    """A model that answers an instruction about an image.

    A family says how a checkpoint is read (`load`) and how a prompt is written
    (`prompt_ids`, `beside_prompt`). `body` is the decoder, see
    `brainstruct.models.response.Listener`; `images` makes pixels, the tokenizer turns
    tokens into text; the other parameters are those of `Decoding`.
    """

    modality: ClassVar[Modality] = "image+instruction"
    usual_template: ClassVar[str | None] = None
    image_mark: str  # what stands for the image in the text of a prompt
    image_ids: Collection[int] = ()  # tokens that stand for it in a prompt that may be cut there
    _cut: bool | None = None  # whether nothing changes where a prompt is; `None`: not yet seen

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
        marks = thinking_marks(options.checkpoint, tokenizer) if options.thinking_tokens else {}
        self.decoding = Decoding(
            options,
            frozenset(end_ids),
            pad_id,
            forbidden_ids=[one for one in forbidden_ids if one not in marks],
            marks=marks,
        )

    @property
    def template(self) -> str | None:
        """Text of a prompt, with places for image and instruction: the study's, or the usual."""
        return self.options.prompt or self.usual_template

    def prompt(self, instruction: str) -> str:
        """Return the text of a prompt."""
        return written(str(self.template), instruction, self.image_mark)

    def prompt_ids(self, instruction: str) -> list[int]:
        """Return the token ids of a prompt, as the tokenizer makes them of its text."""
        ids: list[int] = self.tokenizer(self.prompt(instruction))["input_ids"]
        return ids

    def beside_prompt(self, instruction: str, ids: torch.Tensor) -> Batch:  # noqa: ARG002
        """Return what the network is given besides the `ids` [1, position]; one row each."""
        return {}

    def pixels(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Return images as the vision tower takes them, the first dimension the stimulus."""
        pixels: torch.Tensor = self._images(list(images), return_tensors="pt")["pixel_values"]
        return pixels

    def prepare(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Batch:
        """Write the prompt and process the images; see `FeatureModel.prepare`."""
        instruction = shared_instruction(texts)
        ids = torch.tensor([self.prompt_ids(instruction)])
        require_embedded(self.options.checkpoint, ids, self.body.embed_tokens)
        prompt = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            **self.beside_prompt(instruction, ids),
        }
        rows = {name: row.expand(len(images), *row.shape[1:]) for name, row in prompt.items()}
        return {"pixel_values": self.pixels(images), **rows}

    def generate(self, batch: Batch, **settings: Any) -> Any:
        """Run the network's own generation on what `prepare` returned, moved by `on_device`.

        The settings are a complete ``generation_config``, perhaps a
        ``logits_processor``. The first decides what is returned: token ids [stimulus,
        time], with or without the prompt in front, or an object that holds them.
        """
        return self.network.generate(**batch, **settings)

    def forward(self, batch: Batch) -> Features:
        """Respond to a batch and pool the decoder's states on the way.

        Which states, `ModelOptions.pooling` says. ``response_mean``: mean over the response's
        tokens, end token and thinking excluded; a response without tokens takes the state of the
        last prompt position. ``last_prompt_token``: state of that position. ``prompt_mean``: mean
        over the prompt's tokens, image tokens included. The last two run the prompt only and give
        no responses. A `ValueError` if the prompt is padded on the right but a response is wanted,
        responses are sampled but the stimuli unknown, or the generation runs several hypotheses per
        stimulus.
        """
        return self._forward(self.on_device(batch))

    def forward_all(self, batches: Sequence[Batch]) -> list[Features]:
        """Embed batches of the same images; what their prompts begin with is run once.

        So it is where that changes nothing: the image stands before the instruction, and no
        position sees a later one. The first images show whether it does.
        """
        length = common_length(batches, self.image_ids) if self.image_ids and batches[1:] else 0
        if length == 0 or self._cut is False or self.options.pooling == "prompt_mean":
            return super().forward_all(batches)
        placed = [self.on_device(batch) for batch in batches]
        if self._cut is None:
            first = [{name: rows[:1] for name, rows in one.items()} for one in placed]
            self._cut = self._seen_alike(first)
            return self.forward_all(placed)
        begun = self._begin(placed[0], length)
        return [self._forward(inputs, begun) for inputs in placed]

    def _begin(self, inputs: Batch, length: int) -> Beginning:
        """Run the first positions of prompts."""
        settings = self.decoding.greedy_config(n_tokens=1)
        settings.return_dict_in_generate = True
        shown = {name: one for name, one in cut(inputs, length).items() if name != STIMULUS}
        with torch.inference_mode():
            told = self.generate(shown, generation_config=settings)
        return Beginning(length, told.past_key_values)

    def _seen_alike(self, inputs: Sequence[Batch]) -> bool:
        """Tell whether prompts end in the same states where what they begin with is run once."""
        first = self.decoding.greedy_config(n_tokens=1)
        begun = self._begin(inputs[0], common_length(inputs, self.image_ids))
        once, whole = (
            torch.stack(
                [self._hear(one, start, generation_config=first)[0].prompt for one in inputs]
            )
            for start in (begun, None)
        )
        apart = float((once - whole).norm() / whole.norm())
        alike = apart <= (_ALIKE if self.dtype == torch.float32 else _ALIKE_IN_16_BITS)
        log.info(
            "%d positions are alike for all instructions: run %s (states differ by %.1g)",
            begun.length,
            "once" if alike else "for each, since it matters",
            apart,
        )
        return alike

    def _forward(self, inputs: Batch, begun: Beginning | None = None) -> Features:
        """Respond to inputs on the device, perhaps from where their prompts begin alike."""
        mask, pooling = inputs["attention_mask"], self.options.pooling
        responds = pooling == "response_mean"
        settings: dict[str, Any] = {"generation_config": self.decoding.greedy_config(n_tokens=1)}
        if responds:
            settings = self.decoding.settings(inputs.get(STIMULUS), inputs["input_ids"])
            if not bool(mask[:, -1].all()):
                raise ValueError(
                    "the prompt is padded on the right; a response must follow its last token"
                )
        listener, sequences = self._hear(inputs, begun, **settings)
        if responds:
            return self._of_response(listener, sequences)
        whole = mask if pooling == "prompt_mean" else torch.ones_like(mask[:, :1])
        return without_response(listener.prompt.transpose(0, 1), whole.sum(1))

    def _hear(
        self, inputs: Batch, begun: Beginning | None, **settings: Any
    ) -> tuple[Listener, torch.Tensor]:
        """Generate, and return what was heard and the tokens."""
        given: dict[str, Any] = {name: one for name, one in inputs.items() if name != STIMULUS}
        mask = given["attention_mask"]
        if begun is not None:
            given, mask = begun.continued(given), mask[:, begun.length :]
        pool = mean_state if self.options.pooling == "prompt_mean" else last_state
        listener = Listener(self.body, pool, mask, self.decoding, given["input_ids"])
        with torch.inference_mode(), listener.listening():
            return listener, self.generate(given, **settings)

    def _of_response(self, listener: Listener, sequences: torch.Tensor) -> Features:
        """Average what was heard over the tokens of each response."""
        # Every step yields one token, so the response is as long as the decoder ran.
        tokens = sequences[:, sequences.shape[1] - listener.steps :]
        parts = self.decoding.parts(tokens, listener.prompts)
        n_tokens = parts.pooled.sum(1)
        if not torch.equal(n_tokens, listener.counts):
            raise RuntimeError(
                f"the response has {n_tokens.tolist()} tokens but the states of "
                f"{listener.counts.tolist()} were seen: the decoder does not run once per token"
            )
        states = torch.where(
            (n_tokens == 0)[None, :, None],
            listener.prompt,
            listener.sums / n_tokens.clamp_min(1)[None, :, None],
        )
        share = parts.thought.sum(1) / parts.whole.sum(1).clamp_min(1)
        rows = zip(tokens, parts.pooled, strict=True)
        return Features(
            states=states.transpose(0, 1).cpu(),
            responses=[self.decode(row[own].tolist()) for row, own in rows],
            n_tokens=n_tokens.cpu(),
            truncated=parts.truncated.cpu(),
            thinking_share=share.cpu() if self.options.thinking_tokens else None,
        )

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn the tokens of one response into text."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True)).strip()


def shared_instruction(texts: Sequence[str]) -> str:
    """Return the one instruction of a batch.

    Several would have to be padded to one length, and models with absolute positions (the Q-Former
    of InstructBLIP) then see another prompt than they would alone.
    """
    different = set(texts)
    if len(different) != 1:
        raise ValueError(f"a batch takes one instruction for all, got {len(different)}")
    return different.pop()
