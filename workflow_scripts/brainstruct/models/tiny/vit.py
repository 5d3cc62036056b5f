"""A tiny ViT in the hub's layout of 2021."""

from pathlib import Path

from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

from brainstruct.models.tiny import hub
from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, write_network


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 32) -> None:
    """Write the checkpoint; `width` is a multiple of 4. See `brainstruct.models.tiny`."""
    hub.write_as_2022(ViTImageProcessorPil(size=SQUARE), folder, "ViTFeatureExtractor")
    network = ViTModel(ViTConfig(**blocks(n_blocks, width), **PATCHES))
    write_network(network, folder, seed)
    later = dict.fromkeys(["encoder_stride", "pooler_act", "pooler_output_size", "torch_dtype"])
    hub.restate(folder, transformers_version="4.13.0.dev0", **later)
