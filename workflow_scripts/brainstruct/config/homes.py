"""Where settings are at home: for those that stand in another block."""

from collections.abc import Iterator
from typing import Any, TypeGuard, get_args, get_origin

from pydantic import BaseModel

from brainstruct.settings.suggest import did_you_mean, strange

MOST_NAMES = 12
"""More are looked up in the manual."""


def homes(schema: type[BaseModel], name: str) -> list[str]:
    """Return blocks that have a setting, or the one that a name with dots leads to.

    Entries of lists and mappings go by ``NAME``; the outermost block is the empty text.
    """
    block, dot, last = name.strip().rpartition(".")
    return [
        where
        for where, known in _blocks(schema, "")
        if (last or name) in known and (not dot or where == block)
    ]


def unknown_key(schema: type[BaseModel], name: str, known: list[str]) -> str:
    """Say of a key that a block does not have what it may have been meant for."""
    found = homes(schema, name)
    near = did_you_mean(name, known, 0.8 if found else 0.6)
    if found and not near:
        inside = " or ".join(f"'{one}:'" for one in found if one)
        where = f"indented below {inside}" if inside else "at the margin"
        own = f", as '{name.rpartition('.')[2]}'" if "." in name else ""
        near = f" It belongs {where}{own}."
    if near or strange(name):
        return f"unknown key.{near}{strange(name)}".removesuffix(".")
    some = f"; there are {', '.join(known)}" if len(known) <= MOST_NAMES else ""
    return f"unknown key{some}"


def is_block(annotation: Any) -> TypeGuard[type[BaseModel]]:
    """Whether a setting is a block of settings."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _blocks(annotation: Any, where: str) -> Iterator[tuple[str, list[str]]]:
    if is_block(annotation):
        yield where, list(annotation.model_fields)
        for name, field in annotation.model_fields.items():
            yield from _blocks(field.annotation, f"{where}.{name}" if where else name)
    elif get_origin(annotation) is not None:
        inside = f"{where}.NAME" if get_origin(annotation) in (list, dict) else where
        for inner in get_args(annotation):
            yield from _blocks(inner, inside)
