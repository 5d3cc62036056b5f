"""Tiny checkpoints of many types of models, by the library's own classes.

Each has the turns of the published ones in a chat template of its own, and images that are
cut, tiled, flattened or squared as those of its type are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
import yaml
from tokenizers import AddedToken, Tokenizer, processors
from transformers import CONFIG_MAPPING, GenerationConfig
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from brainstruct.models.tiny.network import spread
from brainstruct.models.tiny.vocabulary import qwen_tokenizer

BLOCKS: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 4096,
}
VISION: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "depth": 2,
    "num_heads": 4,
    "embed_dim": 32,
}
END_IDS = 60
"""So many of the first tokens, which are bytes, end an answer."""

_DESCRIBED = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
KINDS: dict[str, dict[str, Any]] = {
    kind: entry for kind, entry in _DESCRIBED.items() if not kind.startswith(".")
}
_TEMPLATE = (
    "BEGIN{% for m in messages %}HEAD{% for c in m.content %}"
    "{% if c.type == 'image' %}MARK{% else %}{{ c.text }}{% endif %}"
    "{% endfor %}TAIL{% endfor %}{% if add_generation_prompt %}OPENING{% endif %}"
)


def build(kind: str, folder: Path) -> None:
    """Write a checkpoint of a type into an empty folder."""
    entry = KINDS[kind]
    tokenizer = write_tokenizer(entry, folder)
    ids = {
        name: [tokenizer.token_to_id(one) for one in token]
        if isinstance(token, list)
        else tokenizer.token_to_id(token)
        for name, token in entry["ids"].items()
    }
    (folder / "chat_template.jinja").write_text(template(entry), encoding="utf-8")
    config_class = CONFIG_MAPPING[kind]
    known = IMAGE_PROCESSOR_MAPPING.get(config_class, None) or {}
    images = known.get("pil") or known.get("torchvision")
    if "image_class" in entry:
        images = getattr(transformers, entry["image_class"])
    mapped = PROCESSOR_MAPPING.get(config_class, None)
    processor = {"processor_class": mapped.__name__} if mapped else {}
    write(folder / "preprocessor_config.json", images(**entry["images"]).to_dict() | processor)
    write(folder / "processor_config.json", processor | entry.get("processor", {}))
    ends = {
        name: tokenizer.token_to_id(entry[name])
        for name in ("eos", "pad", "begin")
        if name in entry
    }
    sizes = BLOCKS | {
        "vocab_size": -(-tokenizer.get_vocab_size() // 64) * 64,
        "eos_token_id": ends["eos"],
        "pad_token_id": ends["pad"],
        "bos_token_id": ends.get("begin"),
    }
    usual = config_class()
    config = config_class(
        text_config=fitting(usual.text_config, sizes) | entry["text"],
        vision_config=fitting(usual.vision_config, VISION) | entry["vision"],
        **{name: sizes[name] for name in ("vocab_size", "hidden_size") if name in usual.to_dict()},
        **ids,
        **entry.get("config", {}),
    )
    network = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[config_class](config)
    spread(network, seed=entry.get("seed", 0))
    with torch.no_grad():  # experts are one parameter [expert, feature, feature], and no layers
        for name, parameter in network.named_parameters():
            if ".experts." in name and parameter.ndim == 3:
                parameter.div_(parameter.shape[-1] ** 0.5)
    network.generation_config = GenerationConfig(
        eos_token_id=[ends["eos"], *range(END_IDS)], pad_token_id=ends["pad"]
    )
    network.save_pretrained(folder)


def template(entry: dict[str, Any]) -> str:
    """Return a chat template with the turns of a type."""
    text = _TEMPLATE.replace("MARK", entry["mark"])
    for place in ("BEGIN", "HEAD", "TAIL", "OPENING"):
        text = text.replace(place, entry["turns"].get(place.lower(), ""))
    return text


def fitting(part: Any, sizes: dict[str, Any]) -> dict[str, Any]:
    """Return those of the sizes that a part of a configuration has, and its type."""
    if part is None:
        return sizes
    found = {name: value for name, value in sizes.items() if name in part.to_dict()}
    return found | {"model_type": part.model_type}


def write_tokenizer(entry: dict[str, Any], folder: Path) -> Tokenizer:
    """Write the tokenizer of a type, and return it."""
    tokenizer = qwen_tokenizer()
    # Tokens that say where a tile is.
    tiles = (
        [(row, column) for row in range(1, 7) for column in range(1, 7)] if "grid" in entry else []
    )
    tokens = [*entry["specials"], *(entry["grid"].format(*tile) for tile in tiles)]
    tokenizer.add_special_tokens([AddedToken(one, normalized=False) for one in tokens])
    config = {
        "eos_token": entry["eos"],
        "extra_special_tokens": entry["named"],
        "pad_token": entry["pad"],
        "padding_side": "left",
        "tokenizer_class": "TokenizersBackend",
    }
    if begin := entry.get("begin"):
        config["bos_token"] = begin
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A",
            pair=f"{begin} $A {begin} $B",
            special_tokens=[(begin, tokenizer.token_to_id(begin))],
        )
    tokenizer.save(str(folder / "tokenizer.json"))
    write(folder / "tokenizer_config.json", config)
    return tokenizer


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
