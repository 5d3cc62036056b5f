"""Pools the states of a decoder while it runs: the core of every responding model.

The state of a generated token appears in the decoder when that token is fed
back, one step after it was chosen. Forward hooks see it there, in every layer,
and add it to a running sum; nothing else of the generation is kept. Memory is
thus one vector per layer and stimulus, whatever the length of the response.

Layers are counted as everywhere in this package: 0 is what enters the first block (token
embeddings), l is the output of block l, and the last one is taken after the final norm.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from brainstruct.models.decoding import Decoding


class Listener:
    """Hooks of one generation; see the module's head for what they add up.

    The body is the decoder, with ``embed_tokens``, ``layers`` and ``norm`` as LLaMA has
    them. It is called once per step with ``input_ids`` or ``inputs_embeds``: first of the
    whole prompt, then of one token per stimulus. Its embeddings are called inside it, or
    before it by whoever gives it vectors. `pool_prompt` is a function of
    `brainstruct.models.pooling`; the mask [stimulus, position] is 0 for padding. The
    prompts [stimulus, position], ids, and `decoding` say which tokens count.

    `prompt` and `sums` are [layer, stimulus, feature], float32: pooled states of the prompt,
    and sums over the response's tokens. `counts` [stimulus] are the tokens in `sums`,
    `steps` how often the decoder was called.
    """

    def __init__(
        self,
        body: Any,
        pool_prompt: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        attention_mask: torch.Tensor,
        decoding: Decoding,
        prompts: torch.Tensor,
    ) -> None:
        device = attention_mask.device  # where ids are; blocks may lie on several others
        n_stimuli = len(attention_mask)
        self._body = body
        self._pool_prompt = pool_prompt
        self._attention_mask = attention_mask
        self._decoding = decoding
        self._fed = torch.zeros((n_stimuli, 0), dtype=torch.int64, device=device)
        self._alive = torch.ones(n_stimuli, dtype=torch.bool, device=device)
        self._inside = False
        self._embedded: torch.Tensor | None = None
        self.prompts = prompts
        self.counts = torch.zeros(n_stimuli, dtype=torch.int64, device=device)
        self.steps = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Attach the hooks for the duration of a block, in which one batch is responded to.

        A `ValueError` or `RuntimeError` if several hypotheses are run per stimulus, or several
        tokens fed per step.
        """
        body = self._body
        # The last block's output is represented by that of the final norm.
        heard = [body.embed_tokens, *body.layers[:-1], body.norm]
        handles = [
            body.register_forward_pre_hook(self._enter, with_kwargs=True),
            body.register_forward_hook(self._leave),
            body.embed_tokens.register_forward_pre_hook(self._embed),
            *(part.register_forward_hook(self._hook(layer)) for layer, part in enumerate(heard)),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Count a step, and the token that is fed back."""
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
            self._fed = torch.cat([self._fed, ids], dim=1)
            self._alive = self._decoding.parts(self._fed, self.prompts).pooled[:, -1]
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
                shape = (len(self._body.layers) + 1, len(states), states.shape[-1])
                self.prompt = torch.zeros(shape, device=self._alive.device)
                self.sums = torch.zeros(shape, device=self._alive.device)
            self.prompt[layer] = self._pool_prompt(states, self._attention_mask.to(states.device))
        else:
            # Not a product with 0: rows that do not count may hold anything, even NaN.
            last = states[:, -1].to(self.sums.device).float()
            self.sums[layer] += torch.where(self._alive[:, None], last, 0.0)
