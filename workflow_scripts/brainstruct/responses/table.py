"""Tables of what a model answered to one instruction."""

import re
from collections.abc import Sequence
from os import PathLike

import pandas as pd

from brainstruct.errors import InputError
from brainstruct.store.arrays import open_dataset, provenance, read_dataset
from brainstruct.store.tables import read_table

COLUMNS = ("response", "n_tokens", "truncated")
"""Beside the column of ids."""

_MISSING = "n/a"
"""What elsewhere marks a missing value; as a response it is written otherwise."""

_ESCAPED = {ord("\\"): r"\\", ord("\t"): r"\t", ord("\n"): r"\n", ord("\r"): r"\r"}


def collect_responses(paths: Sequence[str | PathLike[str]], id_name: str) -> pd.DataFrame:
    r"""Join the responses of all blocks of a model and instruction; states are not read.

    An `InputError` if a file is missing or damaged, or an image is in two of them.

    Returns
    -------
    pandas.DataFrame
        By ascending id: the ids as `id_name`, ``response``, on one line (backslashes, tabs
        and line ends are written as ``\\``, ``\t``, ``\n``, ``\r``),
        ``n_tokens`` (0: an empty response) and ``truncated`` (cut at the
        longest; bool); of models that think, ``thinking_share`` (0 to 1).
    """
    parts = []
    for path in paths:
        block = read_dataset(path, COLUMNS, ["stimulus"], without="embedding")
        kept = [name for name in (*COLUMNS, "thinking_share") if name in block]
        parts.append(block[kept].to_dataframe()[kept].rename_axis(id_name).reset_index())
    table = pd.concat(parts).sort_values(id_name, kind="stable", ignore_index=True)
    twice = table[id_name][table[id_name].duplicated()]
    if len(twice):
        raise InputError(
            paths[0],
            f"and the other blocks have {len(twice)} images twice "
            f"(first: {id_name} {twice.iloc[0]})",
            "Delete the embeddings of this model and instruction, and run again",
        )
    table["response"] = [escape_line(text) for text in table["response"]]
    return table.astype({"truncated": bool})


def prompt_of(path: str | PathLike[str]) -> str:
    """Return the prompt that answers were given to; empty if a block was made before it was kept.

    An `InputError` if the file is missing or damaged.
    """
    with open_dataset(path, ["response"]) as block:
        return str(provenance(block).get("prompt") or "")


def read_responses(path: str | PathLike[str], id_name: str) -> pd.DataFrame:
    """Read a table of `collect_responses` back, responses as they were said.

    An `InputError` if the file is missing, unreadable or lacks a column.
    """
    table = read_table(path, [id_name, *COLUMNS], dtype={"response": str})
    table["response"] = [unescape_line(text) for text in table["response"]]
    return table.astype({"truncated": bool})


def escape_line(text: str) -> str:
    """Write a text on one line of a table, never as a missing value."""
    return r"n\/a" if text == _MISSING else str(text).translate(_ESCAPED)


def unescape_line(text: str) -> str:
    """Undo `escape_line`."""
    plain = {"/": "/"} | {escape[1]: chr(code) for code, escape in _ESCAPED.items()}
    return re.sub(r"\\(.?)", lambda found: plain[found[1]], text, flags=re.DOTALL)
