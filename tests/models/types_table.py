"""What becomes of every type that the library asks about images: the table of docs/models.md.

``PYTHONPATH=workflow_scripts python tests/models/types_table.py`` looks at each and writes it.
"""

from __future__ import annotations

import brainstruct.models  # noqa: F401  # isort: skip - before anything of transformers

from pathlib import Path
from typing import Any

import torch
from model_types import KINDS
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)

from brainstruct.errors import InputError
from brainstruct.models.auto import decoder_of
from brainstruct.models.kinds import refusal_of
from brainstruct.models.processing import quiet_transformers

DOCUMENT = Path(__file__).parents[2] / "docs/models.md"
TYPES = sorted(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)
THROUGH, FOUND, REFUSED = "goes through", "structure found", "refused"
_ROPE = {"rope_type": "default", "rope_theta": 10000.0}
STATED: dict[str, dict[str, Any]] = {
    "chameleon": {"vocabulary_map": {"<image>": 5}},
    "cohere_compass": {
        "text_config": {"rope_parameters": {"full_attention": _ROPE, "sliding_attention": _ROPE}}
    },
    "deepseek_ocr2": {"text_config": {"mlp_layer_types": ["dense"] * 32}},
    "emu3": {"vocabulary_map": {"<image>": 5}},
    "granite4_vision": {"downsample_rate": "1/2", "deepstack_layer_map": [[-1, 0]]},
    "hunyuan_vl": {"text_config": {"head_dim": 128}},
    "qwen4_exp": {
        "text_config": {
            "indexer_budget": 64,
            "indexer_compress_ratio": 4,
            "indexer_n_heads": 4,
            "indexer_kv_heads": 1,
            "indexer_head_dim": 256,
        }
    },
}
"""What the library builds no network of a type without, beyond its defaults."""

BEGIN, END = "<!-- types: begin -->\n", "<!-- types: end -->\n"


def outcome_of(model_type: str) -> tuple[str, str]:
    """Say what becomes of a type, and why, or where its states are heard."""
    if why := refusal_of(model_type):
        return REFUSED, why.removeprefix(f"{model_type} ").partition(": ")[0]
    if model_type in KINDS:
        return THROUGH, "tiny checkpoint"
    config = CONFIG_MAPPING[model_type](**STATED.get(model_type, {}))
    with torch.device("meta"), quiet_transformers():
        network = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[type(config)]._from_config(config)
    try:
        body = decoder_of(network, Path(model_type))
    except InputError as error:
        return REFUSED, error.fault.partition(") ")[2]
    return FOUND, f"`{type(body).__name__}`, {len(body.layers)} blocks by default"


def row(model_type: str, outcome: tuple[str, str]) -> str:
    return f"| {model_type} | {outcome[0]} | {outcome[1]} |\n"


def table(outcomes: dict[str, tuple[str, str]]) -> str:
    """Return the text of the table."""
    lines = (row(name, found) for name, found in outcomes.items())
    return f"| type | | |\n|---|---|---|\n{''.join(lines)}"


def written() -> str:
    """Return the table as it stands in the document."""
    return DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    text = DOCUMENT.read_text(encoding="utf-8")
    made = BEGIN + table({name: outcome_of(name) for name in TYPES}) + END
    DOCUMENT.write_text(text.replace(BEGIN + written() + END, made), encoding="utf-8")
