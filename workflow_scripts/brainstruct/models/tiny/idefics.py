"""A tiny IDEFICS in the hub's layout of 2023."""

from __future__ import annotations

from math import gcd
from pathlib import Path

from transformers import IdeficsConfig, IdeficsForVisionText2Text, IdeficsImageProcessorPil

from brainstruct.models.idefics import END_OF_UTTERANCE, FAKE_TOKEN, IMAGE_TOKEN
from brainstruct.models.tiny import vocabulary
from brainstruct.models.tiny.configurations import DERIVED, restate
from brainstruct.models.tiny.network import PATCHES, blocks, write_network
from brainstruct.models.tiny.processors import write_beside
from brainstruct.models.tiny.tokenizer_files import (
    NO_LIMIT,
    added_token,
    write_special_tokens,
    write_tokenizer,
)

ADDED = (FAKE_TOKEN, IMAGE_TOKEN, END_OF_UTTERANCE)


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64) -> None:
    """Write the checkpoint; `width` is a multiple of 8. See `brainstruct.models.tiny`.

    A cross-attention layer stands before every fourth block, or more often if
    four does not divide their number.
    """
    n_tokens = _write_tokenizer(folder)
    images = IdeficsImageProcessorPil(image_size=28)
    write_beside(images, folder, processor_class="IdeficsProcessor")
    config = IdeficsConfig(
        vocab_size=n_tokens - len(ADDED),
        additional_vocab_size=len(ADDED),
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
    write_network(IdeficsForVisionText2Text(config), folder, seed, pad_id=0, shards=2)
    restate(folder, transformers_version="4.33.0.dev0", **dict.fromkeys(DERIVED))


def _write_tokenizer(folder: Path) -> int:
    """Write the tokenizer, and return the number of its tokens."""
    tokenizer = vocabulary.llama_tokenizer(vocabulary.LLAMA_BEGIN, ADDED)
    config = {
        "add_bos_token": True,
        "additional_special_tokens": [added_token(token) for token in ADDED],
        "bos_token": added_token(vocabulary.LLAMA_BEGIN, normalized=True),
        "clean_up_tokenization_spaces": False,
        "eos_token": added_token(vocabulary.LLAMA_END, normalized=True),
        "legacy": False,
        "model_max_length": NO_LIMIT,
        "pad_token": None,
        "tokenizer_class": "LlamaTokenizer",
        "unk_token": added_token(vocabulary.LLAMA_UNKNOWN, normalized=True),
    }
    write_tokenizer(tokenizer, folder, config)
    named = ("bos_token", "eos_token", "unk_token")
    more = {"additional_special_tokens": list(ADDED), "pad_token": vocabulary.LLAMA_UNKNOWN}
    write_special_tokens(config, folder, named, **more)
    return int(tokenizer.get_vocab_size())
