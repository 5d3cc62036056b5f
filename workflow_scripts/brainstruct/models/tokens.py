"""Tokenizers of checkpoints, used as they stand, and the tokens that end a response.

Whatever is wrong with them is an `InputError` that names the file and the cure.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from brainstruct.errors import InputError
from brainstruct.models.files import fetch_cure
from brainstruct.store.faults import reading
from brainstruct.store.files import read_json

_SAMPLES = (
    "What is in this image?",
    "Are there any people in this image? If yes, describe them.",
    "User: a  café, 12 dogs\nAssistant:",
)


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Load ``tokenizer.json`` and prove that it is used as it stands.

    Version 5 of transformers rebuilds some tokenizers from their vocabulary
    alone; normalizer and template are then another's, and prompts change
    silently. The generic fast tokenizer does not, and that is checked.
    """
    path = folder / "tokenizer.json"
    with reading(path, "tokenizer", fetch_cure(folder)):
        reference = Tokenizer.from_file(str(path))
    with reading(folder / "tokenizer_config.json", "settings of a tokenizer", fetch_cure(folder)):
        tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(
            folder, local_files_only=True
        )
    # These belong to whoever calls; the file only keeps what was set when it was saved.
    reference.no_truncation()
    reference.no_padding()
    for text in _SAMPLES:
        ids = reference.encode(text).ids
        expected, found = (ids, _letters(reference, ids)), tokenizer(text)["input_ids"]
        if expected != (found, _letters(tokenizer, found)):
            raise InputError(
                path,
                f"says that {text!r} is {ids}, but it is loaded so that it gives {found}, or reads "
                f"them as {_letters(tokenizer, ids)!r}",
                "Check tokenizer_config.json beside it, or use the pinned version of transformers",
            )
    return tokenizer


def _letters(tokenizer: Any, ids: list[int]) -> str:
    """Return the text of tokens without blanks, which settings may clean up."""
    return "".join(str(tokenizer.decode(ids, skip_special_tokens=True)).split())


def require_bos(folder: Path, tokenizer: PreTrainedTokenizerFast, ids: Iterable[int]) -> None:
    """Refuse a tokenizer that does not start a prompt, of these ids, with its own BOS token."""
    first = next(iter(ids), None)
    if tokenizer.bos_token_id is None or first != tokenizer.bos_token_id:
        raise InputError(
            folder / "tokenizer.json",
            f"a prompt starts with id {first}, its BOS token {tokenizer.bos_token!r} "
            f"is {tokenizer.bos_token_id}",
            fetch_cure(folder),
        )


def require_embedded(folder: Path, ids: torch.Tensor, embedding: Any) -> None:
    """Refuse a tokenizer some of whose tokens, `ids` of a text, the network does not embed."""
    rows = embedding.num_embeddings + getattr(embedding, "num_additional_embeddings", 0)
    if ids.numel() and ids.max() >= rows:
        raise InputError(
            folder,
            f"its tokenizer gives a text the token {ids.max()}, but the model embeds {rows}",
            "Take tokenizer and weights from one checkpoint",
        )


def token_id(folder: Path, tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """Return the id of a token that a family cannot do without."""
    found = tokenizer.get_vocab().get(token)
    if found is None:
        raise InputError(
            folder / "tokenizer.json", f"its vocabulary lacks {token!r}", fetch_cure(folder)
        )
    return int(found)


def end_ids(
    folder: Path, tokenizer: PreTrainedTokenizerFast, more: Iterable[int] = ()
) -> frozenset[int]:
    """Return the tokens that end a response.

    They are the tokenizer's EOS token, ``eos_token_id`` of the checkpoint's
    ``generation_config.json``, if there is one, and what `more` end it in this family.
    """
    found = set(more)
    if tokenizer.eos_token_id is not None:
        found.add(int(tokenizer.eos_token_id))
    stored = generation_settings(folder).get("eos_token_id")
    ids = listed(stored)
    if not all(isinstance(token, int) for token in ids):
        raise InputError(
            folder / "generation_config.json",
            f"eos_token_id is {stored!r}, must be ids of tokens",
            fetch_cure(folder),
        )
    return frozenset(found.union(ids))


def listed(ids: Any) -> list[Any]:
    """Return what a configuration states as one id, as several, or not at all."""
    if ids is None:
        return []
    return ids if isinstance(ids, list) else [ids]


def generation_settings(folder: Path) -> dict[str, Any]:
    """Return the content of ``generation_config.json``; nothing, if there is none."""
    path = folder / "generation_config.json"
    if not path.is_file():
        return {}
    content: dict[str, Any] = read_json(path, fetch_cure(folder))
    return content
