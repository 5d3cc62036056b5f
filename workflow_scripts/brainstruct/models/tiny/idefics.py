"""A tiny IDEFICS in the hub's layout."""

from __future__ import annotations

from math import gcd
from pathlib import Path

from transformers import IdeficsConfig, IdeficsForVisionText2Text, IdeficsImageProcessorPil

from brainstruct.models.idefics import END_OF_UTTERANCE, FAKE_TOKEN, IMAGE_TOKEN
from brainstruct.models.tiny import vocabulary
from brainstruct.models.tiny.network import PATCHES, blocks, write_network


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64) -> None:
    """Write the checkpoint; `width` is a multiple of 8. See `brainstruct.models.tiny`.

    A cross-attention layer stands before every fourth block, or more often if
    four does not divide their number.
    """
    added = (FAKE_TOKEN, IMAGE_TOKEN, END_OF_UTTERANCE)
    tokenizer = vocabulary.llama_tokenizer(vocabulary.LLAMA_BEGIN, added)
    vocabulary.write_llama_tokenizer(
        tokenizer,
        folder,
        begin=vocabulary.LLAMA_BEGIN,
        pad=vocabulary.LLAMA_UNKNOWN,
        additional_special_tokens=list(added),
    )
    IdeficsImageProcessorPil(image_size=28).save_pretrained(folder)
    config = IdeficsConfig(
        vocab_size=tokenizer.get_vocab_size() - len(added),
        additional_vocab_size=len(added),
        **blocks(n_blocks, width),
        # The library wants a multiple of it for the number of blocks.
        cross_layer_interval=gcd(n_blocks, 4),
        qk_layer_norms=True,
        use_resampler=True,
        alpha_type="float",
        alpha_initializer="zeros",
        tie_word_embeddings=False,
        vision_config={"embed_dim": 32, **blocks(2, 32), **PATCHES},
        perceiver_config={
            "use_resampler": True,
            "resampler_n_latents": 8,
            "resampler_depth": 2,
            "resampler_n_heads": 4,
            "resampler_head_dim": 8,
            "qk_layer_norms_perceiver": True,
        },
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    write_network(IdeficsForVisionText2Text(config), folder, seed, pad_id=0)
