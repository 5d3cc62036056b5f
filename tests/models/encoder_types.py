"""Tiny checkpoints of many types of encoders, by the library's own classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers import CONFIG_MAPPING, MODEL_MAPPING
from transformers.models.auto import modeling_auto
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING

from brainstruct.models.tiny.network import spread
from brainstruct.models.tiny.vocabulary import bert_tokenizer, clip_tokenizer, qwen_tokenizer

BLOCKS: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
}
VISION = BLOCKS | {"image_size": 28, "patch_size": 7}
LLAMA = BLOCKS | {"num_key_value_heads": 2, "head_dim": 8}
TOWERS = {"text_config": BLOCKS | {"max_position_embeddings": 48}, "vision_config": VISION}

SEEING: dict[str, dict[str, Any]] = {
    "vit": VISION,
    "deit": VISION,
    "beit": VISION,
    "data2vec-vision": VISION,
    "dinov2": VISION,
    "dinov2_with_registers": VISION,
    "dinov3_vit": VISION | {"num_register_tokens": 4},
    "ijepa": VISION,
    "vit_msn": VISION,
    "vit_mae": VISION,
    "siglip": TOWERS,
    "siglip_vision_model": VISION,
    "siglip2": TOWERS | {"vision_config": VISION | {"num_patches": 16}},
    "clip": TOWERS,
    "chinese_clip": TOWERS,
    "aimv2": TOWERS,
    "llava": {"vision_config": VISION | {"model_type": "clip_vision_model"}, "text_config": LLAMA},
}
READING: dict[str, dict[str, Any]] = {
    "bert": BLOCKS,
    "roberta": BLOCKS | {"max_position_embeddings": 514, "pad_token_id": 1},
    "albert": BLOCKS | {"embedding_size": 16},
    "electra": BLOCKS | {"embedding_size": 16},
    "deberta-v2": BLOCKS,
    "mpnet": BLOCKS,
    "distilbert": {"dim": 32, "hidden_dim": 64, "n_layers": 3, "n_heads": 4},
    "modernbert": BLOCKS | {"pad_token_id": 0},
    "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 4},
    "opt": BLOCKS | {"word_embed_proj_dim": 32, "ffn_dim": 64},
    "gpt_neox": BLOCKS,
    "llama": LLAMA,
    "qwen2": LLAMA,
    "qwen3": LLAMA,
    "gemma2": LLAMA,
    "mistral": LLAMA,
    "t5": {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 3, "num_heads": 4},
    "clip": TOWERS,
    "siglip": TOWERS | {"text_config": TOWERS["text_config"] | {"projection_size": 32}},
    "llava": {"vision_config": VISION | {"model_type": "clip_vision_model"}, "text_config": LLAMA},
}
HEADS = ("IMAGE_CLASSIFICATION", "MASKED_LM", "CAUSAL_LM", "IMAGE_TEXT_TO_TEXT")
"""What checkpoints are published with, besides what is embedded."""


def build(kind: str, folder: Path, sizes: dict[str, Any], *, head: bool = False) -> Any:
    """Write a checkpoint into an empty folder, and return its network."""
    kind_of_config = CONFIG_MAPPING[kind]
    tokenizer = tokenizer_of(kind)
    config = kind_of_config(**with_vocabulary(kind, sizes, tokenizer.get_vocab_size()))
    network: Any = MODEL_MAPPING
    if head:
        named = [getattr(modeling_auto, f"MODEL_FOR_{head}_MAPPING") for head in HEADS]
        network = next(mapping for mapping in named if kind_of_config in mapping)
    network = network[kind_of_config](config)
    spread(network, seed=0)
    network.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    # As whoever saved it last had it: on the left, or not at all.
    settings = {"padding_side": "left", "tokenizer_class": "TokenizersBackend"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "preprocessor_config.json").write_text(json.dumps(images_of(kind_of_config, sizes)))
    return network.eval()


def tokenizer_of(kind: str) -> Any:
    """Return a tokenizer in the manner of a type."""
    if kind in ("clip", "siglip", "chinese_clip", "aimv2"):
        return clip_tokenizer()
    encoders = ("bert", "roberta", "albert", "electra", "distilbert", "mpnet", "modernbert")
    return bert_tokenizer() if kind in encoders else qwen_tokenizer()


def with_vocabulary(kind: str, sizes: dict[str, Any], n_tokens: int) -> dict[str, Any]:
    """Add the number of tokens where a configuration states it."""
    if "text_config" not in sizes:
        return sizes | ({"vocab_size": n_tokens} if kind in READING else {})
    return sizes | {"text_config": sizes["text_config"] | {"vocab_size": n_tokens}}


def images_of(config: Any, sizes: dict[str, Any]) -> dict[str, Any]:
    """Return how images are prepared: to the squares of a network, by the class of its type."""
    square = {"height": 28, "width": 28}
    known = IMAGE_PROCESSOR_MAPPING.get(config, None) or {}
    kind = known.get("pil") or known.get("torchvision")
    name = "ViTImageProcessor" if kind is None else kind.__name__.removesuffix("Pil")
    if name == "Siglip2ImageProcessor":
        return {"image_processor_type": name, "patch_size": 7, "max_num_patches": 16}
    cut = {"do_center_crop": True, "crop_size": square, "size": {"shortest_edge": 28}}
    crops = name.startswith(("CLIP", "ChineseCLIP", "Llava", "Bit", "DeiT"))
    return {"image_processor_type": name, **(cut if crops else {"size": square})}
