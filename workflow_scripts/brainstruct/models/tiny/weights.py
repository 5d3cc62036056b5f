"""Random weights under which a tiny network tells stimuli, prompts and layers apart.

The weights of the random baseline (`brainstruct.models.random_init`) are too
small for that in a narrow network: every block would be close to the identity.
Here matrices keep the variance of what they map, and what block l writes grows
by a constant factor per block, so that states turn away from those of earlier
layers at an even pace through the whole depth.
"""

from __future__ import annotations

import re

import torch
from torch import nn

from brainstruct.models.random_init import draw, is_norm

GROWTH = 1.1
"""Factor by which the variance of what a block writes grows from block to block."""

SHARPNESS = 2.0
"""Gain of queries and keys: attention that is not flat makes responses vary."""

CONTRAST = 4.0
"""Gain of the filters that read the pixels: neighbouring pixels are alike, and
what filters see is small."""

_BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks)\.(\d+)\.")
_WRITERS = (
    "o_proj",
    "out_proj",
    "down_proj",
    "fc2",
    "projection",
    "output.dense",
    "attention.dense",
)
_ATTENDING = ("q_proj", "k_proj", "query", "key")


def spread(network: nn.Module, seed: int) -> None:
    """Draw the weights of a tiny network, in place.

    Parameters
    ----------
    network : torch.nn.Module
        Its parameters are overwritten.
    seed : int
        The seed.
    """
    with torch.no_grad():
        for path, module in network.named_modules():
            for leaf, parameter in module.named_parameters(recurse=False):
                name = f"{path}.{leaf}"
                parameter.copy_(_values(module, path, leaf, draw(name, parameter.shape, seed)))


def _values(module: nn.Module, path: str, leaf: str, noise: torch.Tensor) -> torch.Tensor:
    """Scale standard normal numbers to what a parameter needs."""
    if is_norm(module):
        return noise.mul(0.1).add(1.0 if leaf == "weight" else 0.0)
    if leaf.startswith("alpha_"):
        return torch.ones_like(noise)
    if leaf.endswith("bias"):
        return noise.mul(0.1)
    if isinstance(module, nn.Conv2d):
        # Photographs vary most in brightness; filters that ignore it see more else.
        centred = noise - 0.9 * noise.mean(dim=(1, 2, 3), keepdim=True)
        return centred.mul(CONTRAST / noise[0].numel() ** 0.5)
    if isinstance(module, nn.Linear):
        return noise.mul(_gain(path) / module.in_features**0.5)
    return noise


def _gain(path: str) -> float:
    """Return the factor by which a matrix raises the standard deviation of what it maps."""
    if path.endswith(_ATTENDING):
        return SHARPNESS
    block = _BLOCK.search(path)
    if block is not None and path.endswith(_WRITERS):
        return float(GROWTH ** (int(block.group(1)) / 2))
    return 1.0
