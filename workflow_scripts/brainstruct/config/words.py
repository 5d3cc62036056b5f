"""What the schema refuses, in the words of the manual: what a setting must be."""

import re
import types
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from brainstruct.config.homes import is_block, unknown_key
from brainstruct.config.strict import Place
from brainstruct.settings.base import NO_BOOLEANS, Key, Name, Repository, SurfaceName
from brainstruct.settings.suggest import did_you_mean, shown

_NAMES = (
    (Key, "a word of letters, digits and hyphens, of 30 characters at most"),
    (Name, "a name of letters, digits, _, . and -, of 64 characters at most"),
    (Repository, "a repository (OWNER/NAME)"),
    (SurfaceName, "a name of letters, digits, _, . and -, in which {subject} stands for a subject"),
)
_PLAIN = {
    str: "text (in quotes, if it looks like something else)",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
    Any: "anything",
}
_EMPTY = "is empty: its settings stand below it, indented"
_MANY = {str: "names: [a, b]", int: "whole numbers: [1, 2]", float: "numbers: [0.1, 0.5]"}


def problems_of(error: ValidationError, schema: type[BaseModel]) -> dict[Place, list[str]]:
    """Return what is wrong at each place; alternatives that all failed are one problem."""
    found: dict[Place, list[str]] = {}
    for item in error.errors(include_url=False):
        place, annotation, known = _at(schema, [part for part in item["loc"] if part != "[key]"])
        if isinstance(place[-1] if place else "", int) and "[key]" in item["loc"]:
            place = place[:-1]  # a name that is no text
        elif item["type"] == "missing" and isinstance(place[-1], int):
            place = place[:-1]  # of a pair
        sentences = found.setdefault(place, [])
        for sentence in _sentences(item, annotation, known, schema):
            if sentence not in sentences:
                sentences.append(sentence)
    # Of alternatives, the one that was meant is known by what is wrong within it.
    return _entries_together({
        place: _most(sentences)
        for place, sentences in found.items()
        if not any(len(other) > len(place) and other[: len(place)] == place for other in found)
    })  # fmt: skip


def _most(sentences: list[str]) -> list[str]:
    """Return of what alternatives have in common the one that names a bound."""
    bounds = [one for one in sentences if one.startswith("must be ")]
    return [one for one in sentences if one not in bounds] + sorted(bounds, key=len)[-1:]


def explained(place: Place, text: str, found: Iterable[tuple[Place, str]]) -> bool:
    """Whether a setting is missing, or a block empty, because of an unknown key beside it."""
    keys = [said for other, said in found if said.startswith("unknown key") and place
            and other[:-1] == place[:-1]]  # fmt: skip
    if text.startswith("is missing"):
        return any(f"mean '{place[-1]}'" in said for said in keys)
    return text.startswith(_EMPTY) and any(f"'{place[-1]}:'" in said for said in keys)


def _entries_together(found: dict[Place, list[str]]) -> dict[Place, list[str]]:
    """Say once of a list what is wrong in the same way with several of its entries."""
    alike: dict[tuple[Place, str], list[Place]] = {}
    for place, sentences in found.items():
        what, got, _ = sentences[0].partition(", not ")
        plain = what.startswith("must be ") and "?" not in sentences[0]  # no suggestion
        if got and plain and place and isinstance(place[-1], int):
            alike.setdefault((place[:-1], what), []).append(place)
    for (above, what), places in alike.items():
        if len(places) > 1 and above not in found:
            got = ", ".join(found.pop(place)[0].partition(", not ")[2] for place in places)
            found[above] = [f"each {what}, not {got}"]
    return found


def _sentences(
    item: Any, annotation: Any, known: list[str], schema: type[BaseModel]
) -> Iterator[str]:
    kind, given, message = item["type"], item["input"], item["msg"]
    if item["loc"] and item["loc"][-1] == "[key]":
        yield f"the name must be {words(Key)}"
    elif kind == "extra_forbidden":
        yield unknown_key(schema, str(item["loc"][-1]), known)
    elif kind == "missing" and isinstance(item["loc"][-1], int):
        yield "there must be two names in each pair: [a, b]"
    elif kind == "missing":
        yield f"is missing; it must be {words(annotation)}"
    elif kind == "value_error":
        said = message.removeprefix("Value error, ")
        if said == NO_BOOLEANS:
            said += f"; it must be {words(annotation)}"
        yield from said.split("\n")
    elif given is None and is_block(annotation):
        yield f"{_EMPTY} ({', '.join(annotation.model_fields)})"
    else:
        got = "" if item["type"].startswith("too_") else f", not {_shown(given)}"
        choices = list(_choices(annotation))
        near = did_you_mean(given, choices) if isinstance(given, str) else ""
        limit = _limit(item)
        if kind == "string_type" and isinstance(given, int | float | date):
            limit = "" if annotation is str else ", in quotes if it looks like something else"
        cure = near or _cure(given, annotation)
        yield f"must be {words(annotation)}{limit}{got}{'.' if cure else ''}{cure}"


def _cure(given: Any, annotation: Any) -> str:
    """Say what may have made text of a block or a list."""
    if isinstance(given, str) and _holds(annotation) and re.match(r"-\w|\w+:\S", given):
        return f" A blank is missing behind '{'-' if given[0] == '-' else ':'}'"
    return ""


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "settings"
    if isinstance(value, str):
        return shown(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _limit(item: Any) -> str:
    """Return a bound that was crossed."""
    given = item.get("ctx") or {}
    for name, said in (
        ("ge", "at least"),
        ("gt", "above"),
        ("le", "at most"),
        ("lt", "below"),
    ):
        if name in given and item["type"] != "too_short":
            bound = given[name]
            return f", {said} {f'{bound:g}' if isinstance(bound, float) else bound}"
    if item["type"] == "too_short" and given.get("min_length") == 1:
        return ", with at least one in it"
    return ", not empty" if item["type"] == "string_too_short" else ""


def words(annotation: Any) -> str:
    """Say what a setting must be, of its type."""
    for name, said in _NAMES:
        if annotation == name:
            return said
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return words(inner[0])
    if origin is Literal:
        return "one of " + ", ".join(map(str, inner)) if len(inner) > 1 else str(inner[0])
    if origin in (Union, types.UnionType):
        return " or ".join(words(part) for part in inner)
    if origin is list:
        many = _MANY.get(_plain(inner[0]))
        return f"a list of {many}" if many else "a list, an entry of settings for each"
    if origin is tuple:
        return "a pair of names: [a, b]"
    if origin is dict:
        return "settings, a line 'name: value' for each"
    if is_block(annotation):
        return "a block of settings (" + ", ".join(list(annotation.model_fields)[:3]) + ", ..)"
    return _PLAIN.get(annotation, "another value")


def _plain(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _choices(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    for inner in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from _choices(inner)


def _at(schema: type[BaseModel], location: Sequence[str | int]) -> tuple[Place, Any, list[str]]:
    """Follow a location of pydantic's, and leave out its names of alternatives.

    Returns
    -------
    place : tuple
        Names and numbers that stand in the configuration.
    annotation : type
        What stands there.
    known : list of str
        Names of the block that the last one is in.
    """
    place: list[str | int] = []
    current: list[Any] = [schema]
    known: list[str] = []
    tagged = False  # pydantic names an alternative once, before what is within it
    for number, part in enumerate(location):
        choices = [one for one in _alternatives(current) if one is not type(None)]
        if len(choices) > 1 and not tagged:
            tagged = True
            continue
        tagged = False
        names = [name for one in choices if is_block(one) for name in one.model_fields]
        inside = [found for one in choices for found in _inside(one, part)]
        if inside or number == len(location) - 1:
            place.append(part)
            current, known = inside or current, names
    annotation = current[0] if len(current) == 1 else Union[tuple(current)]  # noqa: UP007
    return tuple(place), annotation, known


def _holds(annotation: Any) -> bool:
    return is_block(annotation) or get_origin(annotation) in (list, dict)


def _inside(annotation: Any, part: str | int) -> Iterator[Any]:
    """Yield what stands at a name or number within something of a type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_block(annotation):
        if part in annotation.model_fields:
            yield _whole(annotation.model_fields[part])
    elif origin in (list, tuple) and isinstance(part, int):
        yield arguments[min(part, len(arguments) - 1)]
    elif origin is dict:
        yield arguments[1]


def _whole(field: FieldInfo) -> Any:
    """Return the annotation of a field with what pydantic took from it."""
    patterns = {getattr(mark, "pattern", None) for mark in field.metadata} - {None}
    for name, _ in _NAMES:
        if get_args(name)[1].pattern in patterns:
            return name
    return field.annotation


def _alternatives(annotations: list[Any]) -> Iterator[Any]:
    for one in annotations:
        if get_origin(one) in (Union, types.UnionType):
            yield from _alternatives(list(get_args(one)))
        elif get_origin(one) is Annotated:
            yield from _alternatives([get_args(one)[0]])
        else:
            yield one
