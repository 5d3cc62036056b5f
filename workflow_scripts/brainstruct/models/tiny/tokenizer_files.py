"""Files of tokenizers as the hub serves them, in the fashions of different years.

There is a ``tokenizer.json``, and a ``tokenizer_config.json`` that names the special tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

NO_LIMIT = int(1e30)
"""``model_max_length`` of a tokenizer that states none."""


def added_token(content: str, *, normalized: bool = False) -> dict[str, object]:
    """Return a special token as an object, as files of 2022 and 2023 have it."""
    return {
        "__type": "AddedToken",
        "content": content,
        "lstrip": False,
        "normalized": normalized,
        "rstrip": False,
        "single_word": False,
    }


def added_tokens_decoder(tokenizer: Tokenizer) -> dict[str, dict[str, object]]:
    """Return the special tokens by their ids, as files since late 2023 repeat them."""
    added = json.loads(tokenizer.to_str())["added_tokens"]
    return {str(token.pop("id")): token for token in sorted(added, key=lambda token: token["id"])}


def write_tokenizer(
    tokenizer: Tokenizer, folder: Path, config: Mapping[str, object], *, merges: type = str
) -> None:
    """Write a tokenizer and its configuration into a folder.

    Merges are texts with a blank between two pieces, as until 2024, or lists of the two.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = json.loads(tokenizer.to_str())
    if merges is str and "merges" in content["model"]:
        content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    write_settings(content, folder / "tokenizer.json")
    write_settings(config, folder / "tokenizer_config.json")


def write_special_tokens(
    config: Mapping[str, object], folder: Path, names: Iterable[str], **more: object
) -> None:
    """Write some special tokens of a configuration once more, as was done until 2025."""
    stated = {name: config[name] for name in names} | more
    for name, token in stated.items():
        if isinstance(token, dict):
            stated[name] = {key: one for key, one in token.items() if key != "__type"}
    write_settings(stated, folder / "special_tokens_map.json")


def write_settings(content: Mapping[str, object], path: Path) -> None:
    """Write JSON in the order of its entries, as the hub's files have them."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
