"""A tiny CLIP in the hub's layout."""

from __future__ import annotations

from pathlib import Path

from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, write_network
from brainstruct.models.tiny.vocabulary import (
    CLIP_BEGIN,
    CLIP_END,
    clip_tokenizer,
    token_id,
    write_tokenizer,
)


def build(
    folder: Path, seed: int, n_blocks: int = 24, n_text_blocks: int = 12, width: int = 32
) -> None:
    """Write the checkpoint; `width`, of both towers, is a multiple of 4.

    See `brainstruct.models.tiny`; `n_text_blocks` are the text tower's.
    """
    tokenizer = clip_tokenizer()
    begin, end = token_id(tokenizer, CLIP_BEGIN), token_id(tokenizer, CLIP_END)
    write_tokenizer(
        tokenizer,
        folder,
        {
            "tokenizer_class": "CLIPTokenizer",
            "bos_token": CLIP_BEGIN,
            "eos_token": CLIP_END,
            "unk_token": CLIP_END,
            "pad_token": CLIP_END,
            "model_max_length": 77,
        },
    )
    CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=SQUARE).save_pretrained(folder)
    text = {
        "vocab_size": tokenizer.get_vocab_size(),
        "max_position_embeddings": 77,
        "bos_token_id": begin,
        "eos_token_id": end,
        "pad_token_id": end,
        **blocks(n_text_blocks, width),
    }
    vision = blocks(n_blocks, width) | PATCHES
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=width)
    write_network(CLIPModel(config), folder, seed)
