"""A tiny IDEFICS in the hub's layout of 2023."""

from math import gcd
from pathlib import Path

from transformers import IdeficsConfig, IdeficsForVisionText2Text, IdeficsImageProcessorPil

from brainstruct.models.idefics import END_OF_UTTERANCE, FAKE_TOKEN, IMAGE_TOKEN
from brainstruct.models.tiny import hub, vocabulary
from brainstruct.models.tiny.network import PATCHES, blocks, write_network

ADDED = (FAKE_TOKEN, IMAGE_TOKEN, END_OF_UTTERANCE)


def build(folder: Path, seed: int, n_blocks: int = 32, width: int = 64) -> None:
    """Write the checkpoint; `width` is a multiple of 8. See `brainstruct.models.tiny`.

    A cross-attention layer stands before every fourth block, or more often if
    four does not divide their number.
    """
    tokenizer = vocabulary.llama_tokenizer(vocabulary.LLAMA_BEGIN, ADDED)
    own = hub.stated("idefics.json")
    hub.write_tokenizer(tokenizer, folder, own["tokenizer_config.json"])
    hub.write_settings(own["special_tokens_map.json"], folder / "special_tokens_map.json")
    images = IdeficsImageProcessorPil(image_size=28)
    hub.write_beside(images, folder, {"processor_class": "IdeficsProcessor"})
    config = IdeficsConfig(
        vocab_size=tokenizer.get_vocab_size() - len(ADDED),
        additional_vocab_size=len(ADDED),
        **blocks(n_blocks, width),
        # The library wants a multiple of it for the number of blocks.
        cross_layer_interval=gcd(n_blocks, 4),
        vision_config={"embed_dim": 32, **blocks(2, 32), **PATCHES},
        **own["config.json"],
    )
    write_network(IdeficsForVisionText2Text(config), folder, seed, pad_id=0, shards=2)
    hub.restate(folder, transformers_version="4.33.0.dev0", **dict.fromkeys(hub.DERIVED))
