"""A tiny ViT in the hub's layout."""

from __future__ import annotations

from pathlib import Path

from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

from brainstruct.models.tiny.weights import spread


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 32) -> None:
    """Write the checkpoint.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    seed : int
        Seed of the weights.
    n_blocks : int
        Blocks; there is one hidden state more.
    width : int
        Features per token, a multiple of 4.
    """
    ViTImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)
    network = ViTModel(
        ViTConfig(
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=n_blocks,
            num_attention_heads=4,
            image_size=28,
            patch_size=7,
        )
    )
    spread(network, seed)
    network.save_pretrained(folder)
