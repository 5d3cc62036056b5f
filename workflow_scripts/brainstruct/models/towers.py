"""Pools the states of encoders, which read a stimulus once and respond nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from brainstruct.models.interface import Features


def tower_features(
    hidden_states: Sequence[torch.Tensor], attention_mask: torch.Tensor | None = None
) -> Features:
    """Average the states of every layer over the tokens of a stimulus.

    Parameters
    ----------
    hidden_states : sequence of torch.Tensor
        Per layer, [stimulus, token, feature].
    attention_mask : torch.Tensor, optional
        [stimulus, token], 1 for tokens and 0 for padding; all are tokens if left out.

    Returns
    -------
    Features
        On the CPU, with empty responses.
    """
    n_stimuli, n_tokens = hidden_states[0].shape[:2]
    if attention_mask is None:
        counts = torch.full((n_stimuli,), n_tokens)
        pooled = [states.float().mean(1) for states in hidden_states]
    else:
        counts = attention_mask.sum(1)
        padding = (attention_mask == 0)[:, :, None]
        pooled = [
            states.float().masked_fill(padding, 0.0).sum(1) / counts[:, None]
            for states in hidden_states
        ]
    return Features(
        states=torch.stack(pooled, dim=1).cpu(),
        responses=[""] * n_stimuli,
        n_tokens=counts.long().cpu(),
        truncated=torch.zeros(n_stimuli, dtype=torch.bool),
    )
