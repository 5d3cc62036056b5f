"""What ``config.json`` states of a network: much more, or much less, than today's library writes.

The library fills in what is not stated, and has to know what it no longer states itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainstruct.models.tiny.tokenizer_files import write_settings
from brainstruct.store.files import read_json

DERIVED = ("head_dim", "num_key_value_heads", "rope_parameters", "mlp_bias")
"""What configurations of 2023 did not state of a LLaMA."""

OF_EVERY_MODEL: dict[str, Any] = {
    "_name_or_path": "",
    "add_cross_attention": False,
    "bad_words_ids": None,
    "do_sample": False,
    "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
    "is_decoder": False,
    "label2id": {"LABEL_0": 0, "LABEL_1": 1},
    "max_length": 20,
    "num_beams": 1,
    "output_attentions": False,
    "pruned_heads": {},
    "repetition_penalty": 1.0,
    "return_dict": True,
    "temperature": 1.0,
    "tie_encoder_decoder": False,
    "top_k": 50,
    "torch_dtype": None,
    "torchscript": False,
    "transformers_version": "4.21.0.dev0",
    "use_bfloat16": False,
}
"""What every part of a configuration stated until 2023, of generation, too."""


def without_defaults(part: Any) -> dict[str, Any]:
    """Return a part as of late 2023: what the library would not choose itself."""
    usual = type(part)().to_dict()
    return {
        name: value
        for name, value in part.to_dict().items()
        if name not in (*DERIVED, "architectures", "dtype", "transformers_version")
        and (name == "model_type" or value != usual.get(name))
    }


def in_full(part: Any) -> dict[str, Any]:
    """Return a part as of 2022 and early 2023: everything, with what all models had."""
    stated = {name: value for name, value in part.to_dict().items() if name not in DERIVED}
    return OF_EVERY_MODEL | stated | {"torch_dtype": None}


def restate(folder: Path, **changes: Any) -> None:
    """Give the ``config.json`` of a folder the older name of the type of its weights, and more.

    What is to be `None` is left out.
    """
    path = folder / "config.json"
    content: Mapping[str, Any] = read_json(path, "Build it again")
    stated = {"torch_dtype" if name == "dtype" else name: one for name, one in content.items()}
    known = {name: one for name, one in (stated | changes).items() if one is not None}
    write_settings(dict(sorted(known.items())), path)
