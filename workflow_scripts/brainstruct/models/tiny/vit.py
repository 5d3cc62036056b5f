"""A tiny ViT in the hub's layout."""

from __future__ import annotations

from pathlib import Path

from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, write_network


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 32) -> None:
    """Write the checkpoint; `width` is a multiple of 4. See `brainstruct.models.tiny`."""
    ViTImageProcessorPil(size=SQUARE).save_pretrained(folder)
    network = ViTModel(ViTConfig(**blocks(n_blocks, width), **PATCHES))
    write_network(network, folder, seed)
