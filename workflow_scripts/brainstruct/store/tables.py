"""Tables on disk: tab-separated text that appears whole or not at all."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from brainstruct.errors import InputError
from brainstruct.store.faults import reading
from brainstruct.store.files import rebuild, require_file
from brainstruct.store.publishing import publish


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Publish a data frame as tab-separated text, without its index.

    Floating-point numbers are written with nine significant digits (float32
    round trip); missing values as ``n/a``, as BIDS does.
    """
    with publish(path) as temporary:
        table.to_csv(
            temporary, sep="\t", index=False, na_rep="n/a", float_format="%.9g", lineterminator="\n"
        )


def labelled(table: pd.DataFrame, **labels: str) -> pd.DataFrame:
    """Put columns of one value each before those of a table."""
    return pd.DataFrame({**labels, **table})


def read_table(
    path: str | os.PathLike[str], columns: Iterable[str] = (), **options: Any
) -> pd.DataFrame:
    """Read a table written by `write_table`; `options` are for `pandas.read_csv`.

    An `InputError` if the file is missing, unreadable or lacks a column.
    """
    require_file(path)
    with reading(path, "table", rebuild(path)):
        with Path(path).open("rb") as stored:
            stored.seek(0, os.SEEK_END)
            stored.seek(max(stored.tell() - 1, 0))
            if stored.read() != b"\n":
                raise InputError(path, "is cut: its last line does not end", rebuild(path))
        table = pd.read_csv(path, sep="\t", na_values=["n/a"], keep_default_na=False, **options)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(path, f"lacks the columns {', '.join(missing)}", rebuild(path))
    return table
