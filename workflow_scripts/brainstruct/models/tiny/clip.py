"""A tiny CLIP in the hub's layout of 2022."""

from pathlib import Path

from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from brainstruct.models.tiny import hub
from brainstruct.models.tiny.network import PATCHES, SQUARE, blocks, write_network
from brainstruct.models.tiny.vocabulary import clip_tokenizer


def build(
    folder: Path, seed: int, n_blocks: int = 24, n_text_blocks: int = 12, width: int = 32
) -> None:
    """Write the checkpoint; `width`, of both towers, is a multiple of 4.

    See `brainstruct.models.tiny`; `n_text_blocks` are the text tower's.
    """
    tokenizer = clip_tokenizer()
    own = hub.stated("clip.json")
    hub.write_tokenizer(tokenizer, folder, own["tokenizer_config.json"])
    hub.write_settings(own["special_tokens_map.json"], folder / "special_tokens_map.json")
    images = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=SQUARE)
    hub.write_as_2022(images, folder, "CLIPFeatureExtractor")
    # The published ids of begin, end and padding are wrong, too.
    text = {
        "vocab_size": tokenizer.get_vocab_size(),
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 1,
        **blocks(n_text_blocks, width),
    }
    vision = blocks(n_blocks, width) | PATCHES
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=width)
    write_network(CLIPModel(config), folder, seed)
    parts = {"text_config": config.text_config, "vision_config": config.vision_config}
    hub.restate(
        folder,
        transformers_version=None,
        **{name: hub.in_full(part) for name, part in parts.items()},
        **{f"{name}_dict": hub.without_defaults(part) for name, part in parts.items()},
    )
