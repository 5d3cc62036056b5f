"""Data dictionaries beside tables, as BIDS has them; ``columns.toml`` says what columns mean."""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from brainstruct.store.resources import table_beside

DATA_SETS = Path(__file__).parents[1] / "datasets"
"""Each says what columns mean that its tables alone have."""

Entry = dict[str, Any]
"""Of a column: ``Description`` and, of some, ``Units`` and ``Levels`` (value -> meaning)."""


def describe(
    path: str,
    columns: Iterable[str],
    levels: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Entry]:
    """Describe the columns of a table.

    `path` is the table's below the results, ``tables/alignment.tsv``; or ``dseg.tsv``,
    ``participants.tsv`` of tables that only exports have. `levels` are column -> value -> meaning,
    of values that the study names itself. A `LookupError` if the table is of no known kind, or a
    column has no description: ``columns.toml`` lacks it.
    """
    known = _columns_of(path)
    found: dict[str, Entry] = {}
    for name in columns:
        entry = known.get(name) or known.get("*")
        if entry is None:
            raise LookupError(f"column {name} of {path} has no description")
        found[name] = dict(entry)
        if named := {**entry.get("Levels", {}), **(levels or {}).get(name, {})}:
            found[name]["Levels"] = named
    return found


def _columns_of(path: str) -> dict[str, Entry]:
    """Return what the columns of a kind of table mean."""
    tables, groups = _dictionary()
    for pattern, names in tables.items():
        if fnmatchcase(path, pattern):
            return {
                key: entry for name in ("common", *names) for key, entry in groups[name].items()
            }
    raise LookupError(f"{path} is no kind of table that the dictionary knows")


@cache
def _dictionary() -> tuple[dict[str, list[str]], dict[str, dict[str, Entry]]]:
    """Read which groups of columns each table has, and the groups, written out."""
    content = table_beside(__file__, "columns.toml")
    groups: dict[str, dict[str, Entry]] = {}
    for group, columns in content["columns"].items():
        groups[group] = {}
        for name, entry in columns.items():
            if unit := entry.get("Units"):
                entry["Units"] = content["units"].get(unit, unit)
            groups[group] |= _without_braces(name, entry)
    for path in DATA_SETS.glob("*/texts/columns.toml"):
        groups["common"] |= table_beside(str(path), path.name)
    return content["tables"], groups


def _without_braces(name: str, entry: Entry) -> dict[str, Entry]:
    """Make an entry for each of the columns that braces in a name stand for."""
    braces = re.search(r"\{.+\}", name)
    if braces is None:
        return {name: entry}
    return {
        name.replace(braces[0], one): {
            **entry,
            "Description": entry["Description"].replace("{}", one),
        }
        for one in braces[0].strip("{}").split(",")
    }
