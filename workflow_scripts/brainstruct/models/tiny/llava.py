"""A tiny LLaVA-1.5 in the hub's layout."""

from __future__ import annotations

from pathlib import Path

from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration

from brainstruct.models.llava import IMAGE_TOKEN
from brainstruct.models.tiny import vocabulary
from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, llama, write_network

PAD_TOKEN = "<pad>"


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64) -> None:
    """Write the checkpoint; `width` is a multiple of 8. See `brainstruct.models.tiny`."""
    begin = vocabulary.LLAMA_BEGIN
    tokenizer = vocabulary.llama_tokenizer(begin, added=(IMAGE_TOKEN, PAD_TOKEN))
    pad_id = vocabulary.token_id(tokenizer, PAD_TOKEN)
    vocabulary.write_llama_tokenizer(tokenizer, folder, begin=begin, pad=PAD_TOKEN)
    CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=SQUARE).save_pretrained(folder)
    tower = {"model_type": "clip_vision_model", "projection_dim": 32}
    config = LlavaConfig(
        vision_config=tower | blocks(3, 32) | PATCHES,
        text_config=llama(tokenizer.get_vocab_size(), n_blocks, width, pad_id),
        image_token_index=vocabulary.token_id(tokenizer, IMAGE_TOKEN),
        image_seq_length=16,
    )
    write_network(LlavaForConditionalGeneration(config), folder, seed, pad_id)
