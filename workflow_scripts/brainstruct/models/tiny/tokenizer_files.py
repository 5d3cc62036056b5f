"""Files of tokenizers as the hub serves them, in the fashions of different years.

There is a ``tokenizer.json``, and a ``tokenizer_config.json`` that names the special tokens.
What does not depend on sizes and tokenizers stands in JSON beside this module.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer


def stated(name: str) -> dict[str, dict[str, Any]]:
    """Return what the small files of a kind of checkpoint state, from a file of data beside this.

    By file; ``added_tokens_decoder`` is left to `write_tokenizer`.
    """
    content: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name(name).read_bytes())
    return content


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
    if "added_tokens_decoder" in config:
        config = {**config, "added_tokens_decoder": added_tokens_decoder(tokenizer)}
    write_settings(content, folder / "tokenizer.json")
    write_settings(config, folder / "tokenizer_config.json")


def write_settings(content: Mapping[str, object], path: Path) -> None:
    """Write JSON in the order of its entries, as the hub's files have them."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
