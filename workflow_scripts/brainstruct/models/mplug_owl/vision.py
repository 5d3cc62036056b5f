"""The vision tower: a pre-norm ViT with a class token and fp32 layer norms.

Modules carry the names of the published checkpoint's parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers.activations import QuickGELUActivation

from brainstruct.models.mplug_owl.configuration import MPlugOwlVisionConfig
from brainstruct.models.mplug_owl.layers import LayerNorm32, attend


class VisionEmbeddings(nn.Module):
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
        """Map [image, channel, row, column] to [image, 1 + patch, feature]."""
        patches = self.patch_embed(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        embedded: Tensor = self.pre_layernorm(tokens + self.position_embedding)
        return embedded


class VisionAttention(nn.Module):
    """Self-attention with one joint projection, whose rows are ordered [head, q|k|v, width]."""

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        self.n_heads = config.num_attention_heads
        self.query_key_value = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, states: Tensor) -> Tensor:
        """Map [image, token, feature] to the same shape."""
        joint = self.query_key_value(states).unflatten(-1, (self.n_heads, 3, -1))
        query, key, value = joint.permute(3, 0, 2, 1, 4)
        attended: Tensor = self.dense(attend(query, key, value))
        return attended


class VisionMLP(nn.Module):
    """Two projections around a QuickGELU."""

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = QuickGELUActivation()
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, states: Tensor) -> Tensor:
        """Map [image, token, feature] to the same shape."""
        mapped: Tensor = self.fc2(self.activation(self.fc1(states)))
        return mapped


class VisionLayer(nn.Module):
    """One pre-norm block."""

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        self.input_layernorm = LayerNorm32(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = VisionAttention(config)
        self.post_attention_layernorm = LayerNorm32(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = VisionMLP(config)

    def forward(self, states: Tensor) -> Tensor:
        """Map [image, token, feature] to the same shape."""
        attended: Tensor = states + self.self_attn(self.input_layernorm(states))
        mapped: Tensor = attended + self.mlp(self.post_attention_layernorm(attended))
        return mapped


class VisionEncoder(nn.Module):
    """The stack of blocks."""

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(VisionLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, states: Tensor) -> Tensor:
        """Map [image, token, feature] to the same shape."""
        for layer in self.layers:
            states = layer(states)
        return states


class VisionTower(nn.Module):
    """Pixels to one vector per patch, and one for the class token.

    The last norm applies to every token, because all of them feed the abstractor.
    """

    def __init__(self, config: MPlugOwlVisionConfig) -> None:
        super().__init__()
        self.embeddings = VisionEmbeddings(config)
        self.encoder = VisionEncoder(config)
        self.post_layernorm = LayerNorm32(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map [image, channel, row, column] to [image, 1 + patch, feature]."""
        tokens: Tensor = self.post_layernorm(self.encoder(self.embeddings(pixels)))
        return tokens
