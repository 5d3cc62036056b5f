"""Pools the states of a decoder while it runs: the core of every responding model.

The state of a generated token appears in the decoder when that token is fed
back, one step after it was chosen. Forward hooks see it there, in every layer,
and add it to a running sum; nothing else of the generation is kept. Memory is
thus one vector per layer and stimulus, whatever the length of the response.

Layers are counted as everywhere in this package: 0 is what enters the first
block (token embeddings), l is the output of block l, and the last one is taken
after the final norm.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import nn

from brainstruct.models.decoding import Decoding
from brainstruct.models.interface import Features, Pooling

Generate: TypeAlias = Callable[..., torch.Tensor]
"""Runs ``transformers`` generation with the settings it is given as keywords and
returns the token ids [stimulus, time]; whether the prompt is repeated in front
does not matter."""

_PromptPooling: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""States [stimulus, position, feature] -> [stimulus, feature], float32."""


@dataclass(frozen=True)
class Decoder:
    """The parts of a causal decoder that are listened to.

    Attributes
    ----------
    body : torch.nn.Module
        Called once per step with ``input_ids`` or ``inputs_embeds``: first of
        the whole prompt, then of one token per stimulus; holds the other parts.
    embeddings : torch.nn.Module
        Token ids to vectors; called inside `body`, or before it by whoever
        gives it vectors.
    blocks : sequence of torch.nn.Module
        The decoder blocks, in order.
    norm : torch.nn.Module
        The final norm.
    """

    body: nn.Module
    embeddings: nn.Module
    blocks: Sequence[nn.Module]
    norm: nn.Module

    @property
    def n_layers(self) -> int:
        """States per token, token embeddings included."""
        return len(self.blocks) + 1


def response_lengths(
    tokens: torch.Tensor, end_ids: Collection[int], max_new_tokens: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how many tokens each response has and whether it was cut.

    Parameters
    ----------
    tokens : torch.Tensor
        [stimulus, step], generated tokens, one more than `max_new_tokens` for
        rows that did not end before.
    end_ids : collection of int
        Tokens that end a response.
    max_new_tokens : int
        Longest response.

    Returns
    -------
    n_tokens : torch.Tensor
        [stimulus], int64; the end token is not counted.
    truncated : torch.Tensor
        [stimulus], bool: no end token came, not even right after the longest
        response.
    """
    ends = torch.isin(tokens, torch.tensor(sorted(set(end_ids)), device=tokens.device))
    before_end = (ends.cumsum(1) == 0).sum(1)
    return before_end.clamp_max(max_new_tokens), ~ends.any(1)


def respond(
    decoder: Decoder,
    generate: Generate,
    decode: Callable[[Sequence[int]], str],
    *,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    pooling: Pooling,
    decoding: Decoding,
    stimuli: torch.Tensor | None = None,
) -> Features:
    """Let a model respond and pool the states of its decoder on the way.

    Parameters
    ----------
    decoder : Decoder
        Where the states are.
    generate : callable
        See `Generate`.
    decode : callable
        Token ids of one response -> text.
    input_ids : torch.Tensor
        [stimulus, prompt position]: the prompts.
    attention_mask : torch.Tensor
        [stimulus, prompt position], 1 for tokens and 0 for padding.
    pooling : str
        ``response_mean``: mean over the response's tokens, end token excluded;
        a response without tokens takes the state of the last prompt position.
        ``last_prompt_token``: state of the last prompt position.
        ``prompt_mean``: mean over the prompt's tokens, image tokens included.
        The last two run the prompt only and give no responses.
    decoding : Decoding
        How the response is decoded.
    stimuli : torch.Tensor, optional
        [stimulus]: what tells them apart, where responses are sampled.

    Returns
    -------
    Features
        On the CPU.

    Raises
    ------
    ValueError
        If the prompt is padded on the right but a response is wanted, responses
        are sampled but the stimuli unknown, or the generation runs several
        hypotheses per stimulus.
    """
    if pooling == "response_mean":
        settings = decoding.settings(stimuli, input_ids)
        return _response_mean(decoder, generate, decode, attention_mask, decoding, settings)
    return _prompt_pooled(decoder, generate, attention_mask, pooling, decoding)


def _prompt_pooled(
    decoder: Decoder,
    generate: Generate,
    attention_mask: torch.Tensor,
    pooling: Pooling,
    decoding: Decoding,
) -> Features:
    whole = pooling == "prompt_mean"
    pool = (_all_positions if whole else _last_position)(attention_mask)
    listener = _Listener(decoder, pool, len(attention_mask), decoding.end_ids)
    with torch.inference_mode(), listener.listening():
        generate(generation_config=decoding.greedy_config(n_tokens=1))
    n_tokens = attention_mask.sum(1) if whole else torch.ones_like(attention_mask[:, 0])
    return Features(
        states=listener.prompt.transpose(0, 1).cpu(),
        responses=[""] * len(n_tokens),
        n_tokens=n_tokens.long().cpu(),
        truncated=torch.zeros(len(n_tokens), dtype=torch.bool),
    )


def _response_mean(
    decoder: Decoder,
    generate: Generate,
    decode: Callable[[Sequence[int]], str],
    attention_mask: torch.Tensor,
    decoding: Decoding,
    settings: Mapping[str, Any],
) -> Features:
    if not bool(attention_mask[:, -1].all()):
        raise ValueError("the prompt is padded on the right; a response must follow its last token")
    last = _last_position(attention_mask)
    listener = _Listener(decoder, last, len(attention_mask), decoding.end_ids)
    with torch.inference_mode(), listener.listening():
        sequences = generate(**settings)
    # Every step yields one token, so the response is as long as the decoder ran.
    tokens = sequences[:, sequences.shape[1] - listener.steps :]
    n_tokens, truncated = response_lengths(tokens, decoding.end_ids, decoding.max_new_tokens)
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
    rows = zip(tokens.tolist(), n_tokens.tolist(), strict=True)
    return Features(
        states=states.transpose(0, 1).cpu(),
        responses=[decode(row[:n]) for row, n in rows],
        n_tokens=n_tokens.cpu(),
        truncated=truncated.cpu(),
    )


def _last_position(attention_mask: torch.Tensor) -> _PromptPooling:
    """Pool a prompt by taking the state of its last token, wherever the padding is."""
    order = torch.arange(1, attention_mask.shape[1] + 1, device=attention_mask.device)
    last = (attention_mask * order).argmax(1)
    rows = torch.arange(len(last), device=last.device)

    def pool(states: torch.Tensor) -> torch.Tensor:
        return states[rows, last].float()

    return pool


def _all_positions(attention_mask: torch.Tensor) -> _PromptPooling:
    """Pool a prompt by the mean state of its tokens."""
    n_tokens = attention_mask.sum(1, keepdim=True)
    padding = (attention_mask == 0)[:, :, None]

    def pool(states: torch.Tensor) -> torch.Tensor:
        # Not a product with 0: padding may hold anything, even NaN.
        return states.float().masked_fill(padding, 0.0).sum(1) / n_tokens

    return pool


class _Listener:
    """Hooks of one generation; see the module's head for what they add up.

    Attributes
    ----------
    prompt : torch.Tensor
        [layer, stimulus, feature], float32: pooled states of the prompt.
    sums : torch.Tensor
        [layer, stimulus, feature], float32: sums over the response's tokens.
    counts : torch.Tensor
        [stimulus], int64: tokens in `sums`.
    steps : int
        How often the decoder was called.
    """

    prompt: torch.Tensor
    sums: torch.Tensor
    counts: torch.Tensor

    def __init__(
        self,
        decoder: Decoder,
        pool_prompt: _PromptPooling,
        n_stimuli: int,
        end_ids: Collection[int],
    ) -> None:
        device = next(decoder.body.parameters()).device
        self._decoder = decoder
        self._pool_prompt = pool_prompt
        self._end_ids = torch.tensor(sorted(set(end_ids)), device=device)
        self._alive = torch.ones(n_stimuli, dtype=torch.bool, device=device)
        self._inside = False
        self._embedded: torch.Tensor | None = None
        self.counts = torch.zeros(n_stimuli, dtype=torch.int64, device=device)
        self.steps = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Attach the hooks for the duration of a block."""
        parts = self._decoder
        last = len(parts.blocks)
        handles = [
            parts.body.register_forward_pre_hook(self._enter, with_kwargs=True),
            parts.body.register_forward_hook(self._leave),
            parts.embeddings.register_forward_pre_hook(self._embed),
            parts.embeddings.register_forward_hook(self._hook(0)),
            parts.norm.register_forward_hook(self._hook(last)),
        ]
        # The last block's output is represented by that of the final norm.
        handles += [
            block.register_forward_hook(self._hook(layer))
            for layer, block in enumerate(parts.blocks[:-1], start=1)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = kwargs.get("input_ids", args[0] if args else None)
        vectors = kwargs.get("inputs_embeds")
        given = vectors if vectors is not None else ids
        if given is None or len(given) != len(self._alive):
            raise ValueError(
                f"the decoder is run on {0 if given is None else len(given)} rows for "
                f"{len(self._alive)} stimuli: only one hypothesis per stimulus "
                "is supported"
            )
        if self.steps > 0:
            # Some bodies get vectors throughout; whoever made them has just embedded the ids.
            ids = self._embedded if ids is None else ids
            if ids is None or ids.shape != (len(given), 1):
                raise RuntimeError("the decoder is not fed one token per step: is its cache off?")
            self._alive &= ~torch.isin(ids[:, 0], self._end_ids)
            self.counts += self._alive
        self._inside = True
        self.steps += 1
        if vectors is not None:
            self._add(0, vectors)

    def _embed(self, _module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        self._embedded = args[0] if args else None

    def _leave(self, *_: object) -> None:
        self._inside = False

    def _hook(self, layer: int) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _args: Any, output: Any) -> None:
            # Embeddings are also asked for outside of the decoder, to place images among them.
            if self._inside:
                self._add(layer, output[0] if isinstance(output, tuple) else output)

        return hook

    def _add(self, layer: int, states: torch.Tensor) -> None:
        """Take in the states [stimulus, position, feature] of one layer and step."""
        if self.steps == 1:
            if layer == 0:
                shape = (self._decoder.n_layers, len(states), states.shape[-1])
                self.prompt = torch.zeros(shape, device=states.device)
                self.sums = torch.zeros(shape, device=states.device)
            self.prompt[layer] = self._pool_prompt(states)
        else:
            # Not a product with 0: rows that have ended may hold anything, even NaN.
            self.sums[layer] += torch.where(self._alive[:, None], states[:, -1].float(), 0.0)
