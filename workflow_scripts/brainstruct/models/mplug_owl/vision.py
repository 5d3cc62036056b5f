"""From pixels to the vectors that stand for the image in the prompt.

A vision tower, which is a pre-norm ViT with a class token and layer norms in
float32, then the visual abstractor: learned queries that read the patches,
layer by layer. Modules carry the names of the published checkpoint's parameters.
"""

# What a module returns is anything to mypy; shapes are what matters, and they are stated.
# mypy: disable-error-code="no-any-return"

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.clip.modeling_clip import CLIPMLP

from brainstruct.models.mplug_owl.configuration import (
    MPlugOwlAbstractorConfig,
    MPlugOwlVisionConfig,
)


class LayerNorm32(nn.LayerNorm):
    """Layer normalisation computed in float32 whatever the type of its input."""

    def forward(self, states: Tensor) -> Tensor:
        """Normalise the last axis of `states`; the result has the type of the input."""
        normed = functional.layer_norm(
            states.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps
        )
        return normed.type_as(states)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend without mask; [image, head, token, width] to [image, token, head x width]."""
    mixed = functional.scaled_dot_product_attention(query, key, value)
    return mixed.transpose(1, 2).flatten(2)


class _Stack(nn.Module):
    """Layers, one after the other; each is given the same context, if there is any."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, states: Tensor, *context: Tensor) -> Tensor:
        for layer in self.layers:
            states = layer(states, *context)
        return states


class _VisionEmbeddings(nn.Module):
    """Patches to vectors, behind a class token, with learned absolute positions."""

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        width, patch = config.hidden_size, config.patch_size
        n_positions = (config.image_size // patch) ** 2 + 1
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position_embedding = nn.Parameter(torch.zeros(1, n_positions, width))
        self.patch_embed = nn.Conv2d(
            config.num_channels, width, kernel_size=patch, stride=patch, bias=False
        )
        self.pre_layernorm = LayerNorm32(width, eps=config.layer_norm_eps)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patch_embed(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        return self.pre_layernorm(tokens + self.position_embedding)


class _VisionAttention(nn.Module):
    """Self-attention with one joint projection, whose rows are ordered [head, q|k|v, width]."""

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        self.n_heads = config.num_attention_heads
        self.query_key_value = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, states: Tensor) -> Tensor:
        joint = self.query_key_value(states).unflatten(-1, (self.n_heads, 3, -1))
        query, key, value = joint.permute(3, 0, 2, 1, 4)
        return self.dense(_attend(query, key, value))


class _VisionLayer(nn.Module):
    """One pre-norm block."""

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        self.input_layernorm = LayerNorm32(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = _VisionAttention(config)
        self.post_attention_layernorm = LayerNorm32(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = CLIPMLP(config)  # type: ignore[no-untyped-call]

    def forward(self, states: Tensor) -> Tensor:
        attended = states + self.self_attn(self.input_layernorm(states))
        return attended + self.mlp(self.post_attention_layernorm(attended))


class VisionTower(nn.Module):
    """Pixels to one vector per patch, and one for the class token.

    The last norm applies to every token, because all of them feed the abstractor.
    """

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        self.embeddings = _VisionEmbeddings(config)
        self.encoder = _Stack(_VisionLayer(config) for _ in range(config.num_hidden_layers))
        self.post_layernorm = LayerNorm32(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map [image, channel, row, column] to [image, 1 + patch, feature]."""
        return self.post_layernorm(self.encoder(self.embeddings(pixels)))


class _AbstractorAttention(nn.Module):
    """Multi-head attention of the queries over a context."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.n_heads = config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.encoder_hidden_size, config.hidden_size)
        self.value = nn.Linear(config.encoder_hidden_size, config.hidden_size)

    def forward(self, queries: Tensor, context: Tensor) -> Tensor:
        return _attend(
            self._heads(self.query(queries)),
            self._heads(self.key(context)),
            self._heads(self.value(context)),
        )

    def _heads(self, states: Tensor) -> Tensor:
        return states.view(*states.shape[:2], self.n_heads, -1).transpose(1, 2)


class _AbstractorMLP(nn.Module):
    """A SwiGLU with a norm before the projection back."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.w1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.w2 = nn.Linear(config.intermediate_size, config.hidden_size)
        self.w3 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.ffn_ln = LayerNorm32(config.intermediate_size, eps=config.layer_norm_eps)

    def forward(self, states: Tensor) -> Tensor:
        return self.w2(self.ffn_ln(functional.silu(self.w1(states)) * self.w3(states)))


class _AbstractorOutput(nn.Module):
    """What follows the attention: projection, residuals and the MLP."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)
        # Torch's default epsilon, not the configuration's: so are the published weights trained.
        self.norm2 = LayerNorm32(config.hidden_size)
        self.mlp = _AbstractorMLP(config)

    def forward(self, attended: Tensor, residual: Tensor) -> Tensor:
        states = residual + self.out_proj(attended)
        return states + self.mlp(self.norm2(states))


class _AbstractorCrossAttention(nn.Module):
    """Queries read themselves and the patches in one attention.

    The residual starts from the *normalised* queries, unlike in a usual pre-norm block.
    """

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.attention = _AbstractorAttention(config)
        self.output = _AbstractorOutput(config)
        self.norm1 = LayerNorm32(config.hidden_size)
        self.normk = LayerNorm32(config.encoder_hidden_size)

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        queries = self.norm1(queries)
        context = torch.cat([queries, self.normk(patches)], dim=1)
        return self.output(self.attention(queries, context), queries)


class _AbstractorLayer(nn.Module):
    """One layer; the checkpoint's names want the extra level."""

    def __init__(self, config: MPlugOwlAbstractorConfig) -> None:
        super().__init__()
        self.crossattention = _AbstractorCrossAttention(config)

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        return self.crossattention(queries, patches)


class Abstractor(nn.Module):
    """Patches to the few vectors that stand for the image in the prompt."""

    def __init__(self, config: MPlugOwlAbstractorConfig, language_width: int) -> None:
        super().__init__()
        self.encoder = _Stack(_AbstractorLayer(config) for _ in range(config.num_hidden_layers))
        self.visual_fc = nn.Linear(config.hidden_size, language_width)
        self.vit_eos = nn.Parameter(torch.zeros(1, 1, language_width))

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        """Map [image, query, feature] and [image, patch, feature] to [image, query + 1, feature].

        The features are those of the language model; the last vector marks the image's end.
        """
        summary = self.visual_fc(self.encoder(queries, patches))
        return torch.cat([summary, self.vit_eos.expand(len(summary), -1, -1)], dim=1)
