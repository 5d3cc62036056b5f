"""Networks of tiny checkpoints: their parts, their weights, and how they are written.

The weights of the random baseline (`brainstruct.models.random_init`) are too small for a narrow
network: every block would be close to the identity. Here stimuli, prompts and layers are told
apart: matrices keep the variance of what they map, and what block l writes grows by a constant
factor per block, so that states turn away from those of earlier layers at an even pace through the
whole depth.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import GenerationConfig

from brainstruct.models.random_init import draw, is_norm
from brainstruct.models.tiny.vocabulary import CONTROL_BYTES

GROWTH = 1.1
"""Factor by which the variance of what a block writes grows from block to block."""

SHARPNESS = 2.0
"""Gain of queries and keys: attention that is not flat makes responses vary."""

CONTRAST = 4.0
"""Gain of the filters that read the pixels: neighbouring pixels are alike, and
what filters see is small."""

SQUARE = {"height": 28, "width": 28}
"""Pixels of an image, as processors state them."""

ROWS = 64
"""Embeddings come in multiples of it."""

PATCHES: dict[str, Any] = {"image_size": 28, "patch_size": 7}
"""The same, as vision towers state them: 16 patches."""

_BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks)\.(\d+)\.")
_WRITER = re.compile(r"(?:o_proj|out_proj|down_proj|fc2|projection|(?:output|attention)\.dense)$")
_ATTENDING = ("q_proj", "k_proj", "query", "key")


def blocks(n_blocks: int, width: int, n_heads: int = 4) -> dict[str, Any]:
    """Return the sizes of a transformer, under the names that most configurations have."""
    return {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": n_blocks,
        "num_attention_heads": n_heads,
    }


def llama(
    n_tokens: int, n_blocks: int, width: int, pad_id: int, n_heads: int = 4
) -> dict[str, Any]:
    """Return the configuration of a LLaMA with the usual ids of BOS and EOS."""
    return {
        "model_type": "llama",
        "vocab_size": n_tokens,
        "max_position_embeddings": 2048,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": pad_id,
        "tie_word_embeddings": False,
        **blocks(n_blocks, width, n_heads),
    }


def spared(n_tokens: int) -> int:
    """Return how many rows the published checkpoints embed that many tokens in.

    No token has the last of them, but a network with random weights answers with them.
    """
    return -(-n_tokens // ROWS) * ROWS


def write_network(
    network: Any,
    folder: Path,
    seed: int,
    pad_id: int | None = None,
    *,
    end_ids: Sequence[int] = (2, *CONTROL_BYTES),
    shards: int = 1,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Draw the weights of a network and write it into the folder of a checkpoint.

    A network that responds has a `pad_id`, and may end with any of `end_ids`.
    Several `shards` have an index, and may become one more than was asked for.
    """
    spread(network, seed)
    network.to(dtype)
    if pad_id is not None:
        network.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
            bos_token_id=1, eos_token_id=list(end_ids), pad_token_id=pad_id
        )
    n_bytes = sum(one.numel() * one.element_size() for one in network.state_dict().values())
    network.save_pretrained(folder, max_shard_size=n_bytes // shards + 1)


def spread(network: nn.Module, seed: int) -> None:
    """Draw the weights of a tiny network from a seed, in place."""
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
    if block is not None and _WRITER.search(path):
        return float(GROWTH ** (int(block.group(1)) / 2))
    return 1.0
