"""States of many tokens to one state: what models that respond and encoders share."""

import torch

from brainstruct.models.interface import Features


def mean_state(states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Average [stimulus, token, feature] over tokens, in float32.

    `attention_mask` [stimulus, token] is 1 for tokens and 0 for padding.
    """
    # Not a product with 0: padding may hold anything, even NaN.
    padding = (attention_mask == 0)[:, :, None]
    return states.float().masked_fill(padding, 0.0).sum(1) / attention_mask.sum(1, keepdim=True)


def last_state(states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Take the state of the last token, wherever the padding is; shapes as in `mean_state`."""
    order = torch.arange(1, attention_mask.shape[1] + 1, device=attention_mask.device)
    last = (attention_mask * order).argmax(1)
    return states[torch.arange(len(last), device=last.device), last].float()


def without_response(states: torch.Tensor, n_tokens: torch.Tensor) -> Features:
    """Return features of stimuli without a response, of float32 [stimulus, layer, feature]."""
    return Features(
        states=states.cpu(),
        responses=[""] * len(states),
        n_tokens=n_tokens.long().cpu(),
        truncated=torch.zeros(len(states), dtype=torch.bool),
    )
