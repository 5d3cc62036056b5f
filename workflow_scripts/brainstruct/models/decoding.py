"""How a response is decoded: greedily, or drawn so that a batch changes nothing.

Library sampling draws all rows of a batch from one generator, so a response would depend on which
images happen to share its batch. Here each response has its own uniform numbers, one per step, that
follow from a seed, the stimulus and the prompt alone; each picks a token from the distribution by
its inverse (smallest token whose cumulative probability exceeds the number). Whatever the batch,
the restart or the device, a stimulus draws the same numbers; a response changes only where rounding
moves a boundary across one of them.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    PreTrainedModel,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from brainstruct.models.interface import ModelOptions, Sampling


class Parts(NamedTuple):
    """Which tokens [stimulus, step] are of a response, of its thinking, and averaged; bool."""

    whole: torch.Tensor  # those before the end token, or before one too many
    thought: torch.Tensor
    pooled: torch.Tensor
    truncated: torch.Tensor  # [stimulus]: no end token came, not even behind the longest response


@dataclass(frozen=True)
class Decoding:
    """How a response is decoded.

    There is no beam search: the sum over fed-back tokens is that of the response only if every row
    of the batch stays one and the same hypothesis. A `ValueError` if `end_ids` is empty.
    """

    options: ModelOptions
    end_ids: Collection[int]  # not counted
    pad_id: int  # fed to rows that have ended
    forbidden_ids: Collection[int] = ()  # image placeholders
    marks: Mapping[int, int] = field(default_factory=dict)  # what begins thinking -> what ends it

    def __post_init__(self) -> None:
        if not self.end_ids:
            raise ValueError("end_ids is empty: no response would ever end")

    def parts(self, tokens: torch.Tensor, prompts: torch.Tensor) -> Parts:
        """Tell what generated `tokens` [stimulus, step] are, after `prompts` [stimulus, position].

        Tokens of thinking and of the answer are counted apart; whichever are too many, the
        response is cut before the first of those. So one that ends, or is cut, while the
        model thinks has no answer. A prompt may begin the thinking.
        """
        ends, thought = _among(tokens, self.end_ids), torch.zeros_like(tokens, dtype=torch.bool)
        if self.marks:
            said = torch.cat([prompts, tokens], dim=1)
            order = torch.arange(1, said.shape[1] + 1, device=said.device)
            opens, closes = (_among(said, ids) for ids in (self.marks, self.marks.values()))
            last_opened, last_closed = ((one * order).cummax(1).values for one in (opens, closes))
            thought = ((last_opened > last_closed) | closes)[:, prompts.shape[1] :]
        whole = (ends.cumsum(1) == 0) & ((~thought).cumsum(1) <= self.options.max_new_tokens)
        whole &= thought.cumsum(1) <= self.options.thinking_tokens
        pooled = whole if self.options.thinking_pooled else whole & ~thought
        first_behind = (~whole).cumsum(1) == 1
        return Parts(whole, whole & thought, pooled, ~(first_behind & ends).any(1))

    def greedy_config(self, n_tokens: int | None = None) -> GenerationConfig:
        """Return the settings of greedy generation of so many tokens at most.

        By default one more than the longest response, thinking included: the state of a
        token is seen only when it is fed back.
        """
        longest = self.options.max_new_tokens + self.options.thinking_tokens
        return GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=n_tokens or longest + 1,
            do_sample=False,
            num_beams=1,
            use_cache=True,
            eos_token_id=sorted(set(self.end_ids)),
            pad_token_id=self.pad_id,
            suppress_tokens=sorted(set(self.forbidden_ids)) or None,
        )

    def settings(self, stimuli: torch.Tensor | None, input_ids: torch.Tensor) -> dict[str, Any]:
        """Return what ``generate`` is to be called with.

        `stimuli` [stimulus] tell the rows of the prompts `input_ids` [stimulus, position]
        apart; a `ValueError` if tokens are drawn and they are unknown.
        """
        found: dict[str, Any] = {"generation_config": self.greedy_config()}
        if self.options.thinking_tokens:
            # Else a row that thinks little would answer on for as long as others think.
            n_prompt = input_ids.shape[1]
            found["stopping_criteria"] = [
                lambda ids, *_, **__: ~self.parts(ids[:, n_prompt:], input_ids).whole[:, -1]
            ]
        if (sampling := self.options.sampling) is None:
            return found
        if stimuli is None:
            raise ValueError("responses are sampled, but the batch does not say of which stimuli")
        n_steps = found["generation_config"].max_new_tokens
        numbers = uniform_numbers(sampling.seed, stimuli.tolist(), input_ids.tolist(), n_steps)
        draw = DrawToken(sampling, numbers.to(input_ids.device))
        return found | {"logits_processor": [draw]}


def _among(tokens: torch.Tensor, ids: Collection[int]) -> torch.Tensor:
    """Tell which tokens are of these ids."""
    return torch.isin(tokens, torch.tensor(sorted(set(ids)), dtype=tokens.dtype).to(tokens.device))


def uniform_numbers(
    seed: int, stimuli: Sequence[int], prompts: Sequence[Sequence[int]], n_steps: int
) -> torch.Tensor:
    """Return numbers in [0, 1) that depend on the seed, the stimulus and its prompt alone.

    Prompts are token ids; with them, instructions draw independently. The result is
    [stimulus, step], float64; a longer series begins with the shorter one.
    """
    series = []
    for stimulus, prompt in zip(stimuli, prompts, strict=True):
        key = hashlib.sha256(f"{seed}:{stimulus}:{list(prompt)}".encode()).digest()
        generator = np.random.default_rng(int.from_bytes(key, "little"))
        series.append(generator.random(n_steps))
    return torch.from_numpy(np.stack(series))


class DrawToken(LogitsProcessor):
    """Draws one token per row and step; greedy search then finds no other.

    After the temperature, the ``top_k`` likeliest tokens are kept, then the smallest set
    of them that holds ``top_p`` of the probability. `numbers` [row, step] are those of
    `uniform_numbers`; an instance serves one generation.
    """

    def __init__(self, sampling: Sampling, numbers: torch.Tensor) -> None:
        self._numbers = numbers
        self._step = 0
        self._warpers: list[Any] = []
        if sampling.temperature != 1.0:
            self._warpers.append(TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_k is not None:
            self._warpers.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1.0:
            self._warpers.append(TopPLogitsWarper(sampling.top_p))

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> Any:
        """Return scores of -inf for all tokens but the one drawn."""
        weighed: Any = scores.float()
        for warp in self._warpers:
            weighed = warp(input_ids, weighed)
        cumulative = weighed.double().softmax(-1).cumsum(-1)
        total = cumulative[:, -1:]
        number = self._numbers[:, self._step, None] * total
        # Rounding must not reach the end: the last tokens may be impossible ones.
        number = torch.minimum(number, torch.nextafter(total, torch.zeros_like(total)))
        token = torch.searchsorted(cumulative, number, right=True)
        self._step += 1
        return torch.full_like(scores, -torch.inf).scatter(1, token, 0.0)


def clean_generation(network: torch.nn.Module) -> None:
    """Empty the generation settings that a checkpoint brought along.

    They fill whatever a caller leaves open, so a checkpoint tuned for sampling
    or beam search would otherwise not decode greedily.
    """
    for module in network.modules():
        if isinstance(module, PreTrainedModel) and module.can_generate():
            module.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
