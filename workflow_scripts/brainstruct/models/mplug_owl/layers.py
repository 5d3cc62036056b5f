"""Layers that the vision tower and the abstractor share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class LayerNorm32(nn.LayerNorm):
    """Layer normalisation computed in float32 whatever the type of its input."""

    def forward(self, states: Tensor) -> Tensor:
        """Normalise the last axis of `states`; the result has the type of the input."""
        normed = functional.layer_norm(
            states.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps
        )
        return normed.type_as(states)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Multi-head attention without mask, scaled by the square root of the head's width.

    Parameters
    ----------
    query : torch.Tensor
        [batch, head, query, width].
    key, value : torch.Tensor
        [batch, head, key, width].

    Returns
    -------
    torch.Tensor
        [batch, query, head x width].
    """
    mixed = functional.scaled_dot_product_attention(query, key, value)
    return mixed.transpose(1, 2).flatten(2)
