"""Names of files as BIDS spells them: entities in its order, labels of letters and digits."""

import re
from collections.abc import Iterable

from brainstruct.errors import InputError

ENTITIES = ("sub", "task", "hemi", "space", "den", "stat", "desc")
"""Entities that are used, in the order of a file's name."""


def word(key: str) -> str:
    """Turn a key into a label: ``instructblipRandom`` for ``instructblip-random``."""
    first, *others = [part for part in re.split(r"[^A-Za-z0-9]+", key) if part]
    return first + "".join(part[0].upper() + part[1:] for part in others)


def words(keys: Iterable[str]) -> dict[str, str]:
    """Return key -> label of several keys; an `InputError` if two have one label."""
    found: dict[str, str] = {}
    for key in keys:
        label = word(key)
        for other, taken in found.items():
            if taken.lower() == label.lower():
                raise InputError(
                    "models",
                    f"'{other}' and '{key}' are both called {label} in exported files, whose "
                    "names have no hyphens",
                    "Give one of them another key",
                )
        found[key] = label
    return found


def bids_name(suffix: str, **entities: str | None) -> str:
    """Build the name of a file, without its extension; of `ENTITIES`, `None` leaves one out.

    The suffix is the kind of file: ``statmap``. Labels are letters and digits, anything else
    is a `ValueError`.
    """
    parts = []
    for entity in ENTITIES:
        label = entities.get(entity)
        if label is None:
            continue
        if not re.fullmatch(r"[A-Za-z0-9]+", label):
            raise ValueError(f"'{label}' is no label of {entity}")
        parts.append(f"{entity}-{label}")
    return "_".join([*parts, suffix])
