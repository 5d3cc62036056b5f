"""Data dictionaries beside tables, as BIDS has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from brainstruct.dictionary.column import Column
from brainstruct.dictionary.tables import table_of


def describe(
    path: str,
    columns: Iterable[str],
    levels: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, dict[str, object]]:
    """Describe the columns of a table.

    Parameters
    ----------
    path : str
        The table's path below the results: ``tables/alignment.tsv``; or
        ``dseg.tsv``, ``participants.tsv`` for tables that only exports have.
    columns : iterable of str
        Its columns.
    levels : mapping, optional
        Column -> value -> meaning, of values that the study names itself.

    Returns
    -------
    dict
        Column -> its entry of a BIDS data dictionary.

    Raises
    ------
    LookupError
        If the table is of no known kind, or a column has no description:
        `brainstruct.dictionary.tables` lacks it.
    """
    table = table_of(path)
    if table is None:
        raise LookupError(f"{path} is no kind of table that the dictionary knows")
    found: dict[str, Column] = {}
    for name in columns:
        column = table.column(name)
        if column is None:
            raise LookupError(f"column {name} of {path} has no description")
        found[name] = column
    return {name: column.as_json((levels or {}).get(name)) for name, column in found.items()}
