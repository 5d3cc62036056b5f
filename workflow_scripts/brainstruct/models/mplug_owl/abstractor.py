"""The visual abstractor: learned queries that read the patches, layer by layer.

Modules carry the names of the published checkpoint's parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainstruct.models.mplug_owl.configuration import MPlugOwlAbstractorConfig
from brainstruct.models.mplug_owl.layers import LayerNorm32, attend


class AbstractorAttention(nn.Module):
    """Multi-head attention of the queries over a context."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.n_heads = config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.encoder_hidden_size, config.hidden_size)
        self.value = nn.Linear(config.encoder_hidden_size, config.hidden_size)

    def forward(self, queries: Tensor, context: Tensor) -> Tensor:
        """Map [image, query, feature] and [image, token, feature] to [image, query, feature]."""
        return attend(
            self._heads(self.query(queries)),
            self._heads(self.key(context)),
            self._heads(self.value(context)),
        )

    def _heads(self, states: Tensor) -> Tensor:
        return states.view(*states.shape[:2], self.n_heads, -1).transpose(1, 2)


class AbstractorMLP(nn.Module):
    """A SwiGLU with a norm before the projection back."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.w1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.w2 = nn.Linear(config.intermediate_size, config.hidden_size)
        self.w3 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.ffn_ln = LayerNorm32(config.intermediate_size, eps=config.layer_norm_eps)

    def forward(self, states: Tensor) -> Tensor:
        """Map [image, query, feature] to the same shape."""
        mapped: Tensor = self.w2(self.ffn_ln(functional.silu(self.w1(states)) * self.w3(states)))
        return mapped


class AbstractorOutput(nn.Module):
    """What follows the attention: projection, residuals and the MLP."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)
        # Torch's default epsilon, not the configuration's: so are the published weights trained.
        self.norm2 = LayerNorm32(config.hidden_size)
        self.mlp = AbstractorMLP(config)

    def forward(self, attended: Tensor, residual: Tensor) -> Tensor:
        """Map two [image, query, feature] to one."""
        states: Tensor = residual + self.out_proj(attended)
        mapped: Tensor = states + self.mlp(self.norm2(states))
        return mapped


class AbstractorCrossAttention(nn.Module):
    """Queries read themselves and the patches in one attention.

    The residual starts from the *normalised* queries, unlike in a usual pre-norm block.
    """

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.attention = AbstractorAttention(config)
        self.output = AbstractorOutput(config)
        self.norm1 = LayerNorm32(config.hidden_size)
        self.normk = LayerNorm32(config.encoder_hidden_size)

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        """Map [image, query, feature] and [image, patch, feature] to [image, query, feature]."""
        queries = self.norm1(queries)
        context = torch.cat([queries, self.normk(patches)], dim=1)
        mapped: Tensor = self.output(self.attention(queries, context), queries)
        return mapped


class AbstractorLayer(nn.Module):
    """One layer; the checkpoint's names want the extra level."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.crossattention = AbstractorCrossAttention(config)

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        """Map [image, query, feature] and [image, patch, feature] to [image, query, feature]."""
        mapped: Tensor = self.crossattention(queries, patches)
        return mapped


class AbstractorEncoder(nn.Module):
    """The stack of layers, all of which read the same patches."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            AbstractorLayer(config) for _ in range(config.num_hidden_layers)
        )

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        """Map [image, query, feature] and [image, patch, feature] to [image, query, feature]."""
        for layer in self.layers:
            queries = layer(queries, patches)
        return queries


class Abstractor(nn.Module):
    """Patches to the few vectors that stand for the image in the prompt.

    Parameters
    ----------
    config : MPlugOwlAbstractorConfig
        Dimensions.
    language_width : int
        Width of the language model's embeddings.
    """

    def __init__(self, config: MPlugOwlAbstractorConfig, language_width: int) -> None:
        super().__init__()
        self.encoder = AbstractorEncoder(config)
        self.visual_fc = nn.Linear(config.hidden_size, language_width)
        self.vit_eos = nn.Parameter(torch.zeros(1, 1, language_width))

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        """Map [image, query, feature] and [image, patch, feature].

        Returns
        -------
        torch.Tensor
            [image, query + 1, language feature]; the last vector marks the image's end.
        """
        summary = self.visual_fc(self.encoder(queries, patches))
        return torch.cat([summary, self.vit_eos.expand(len(summary), -1, -1)], dim=1)
