"""From the mapping that Snakemake merged to a checked `Study`."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from brainstruct.config.study import Study
from brainstruct.errors import InputError
from brainstruct.settings.suggest import did_you_mean


def load_study(config: Mapping[str, Any]) -> Study:
    """Validate what ``configfile:``, ``--configfile`` and ``--config`` gave together.

    Raises
    ------
    InputError
        One message that lists every problem with its place and, for misspelt
        names, a suggestion.
    """
    try:
        return Study.model_validate(dict(config))
    except ValidationError as error:
        problems = [_sentence(item) for item in error.errors(include_url=False)]
        raise InputError(
            "the configuration",
            f"has {len(problems)} problem(s):\n  - " + "\n  - ".join(problems) + "\n",
            "Mend the file given with --configfile; config/README.md explains every key",
        ) from None


def _sentence(item: Any) -> str:
    location = item["loc"]
    place = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        known = _fields_at(Study, location[:-1])
        return f"{place}: unknown key.{did_you_mean(str(location[-1]), known)}"
    message = item["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(item["input"], dict | list) else f", got {item['input']!r}"
    if not place:
        return str(message)
    return f"{place}: {message}{shown if item['type'] != 'missing' else ''}"


def _fields_at(block: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Return the field names of the block that a pydantic location points at."""
    current: list[type[BaseModel]] = [block]
    for part in location:
        found = [
            inner
            for candidate in current
            if part in candidate.model_fields
            for inner in _blocks_in(candidate.model_fields[part].annotation)
        ]
        current = found or current  # list indices and mapping keys stay in the block
    return [name for candidate in current for name in candidate.model_fields]


def _blocks_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, list, dict, tuple):
        return [inner for arg in get_args(annotation) for inner in _blocks_in(arg)]
    return []
