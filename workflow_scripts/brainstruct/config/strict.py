"""Reads a file of the configuration strictly: what YAML would turn into something else is named.

YAML 1.1, which Snakemake reads, takes ``yes`` for a number's 1, ``010`` for 8, the country NO
for false, a second block of one name in place of the first, and ends a text before `` #``.
"""

import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from brainstruct.config.syntax import syntax_fault
from brainstruct.errors import InputError
from brainstruct.settings.suggest import shown
from brainstruct.store.faults import refusal

Place: TypeAlias = tuple[str | int, ...]
"""Keys, and numbers in lists, that lead to a setting."""

CURE = "Name the file of your study; config/README.md explains what it holds"
MOST_NODES = 50_000
"""Settings of a file, those that aliases repeat included; a study has some hundreds."""
DEEPEST = 40
TEXTS = ("label", "task", "text")
"""Keys whose values are read by people."""

_TAG = "tag:yaml.org,2002:"
_NONE = ("none", "nil")
"""What other languages call nothing."""


@dataclass
class Given:
    """What a file gives, where each setting stands in it, and what is wrong with its writing."""

    path: Path
    content: dict[str, Any] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    problems: dict[Place, str] = field(default_factory=dict)


def read_strictly(path: Path) -> Given:
    """Read a file.

    Raises
    ------
    InputError
        If it is missing or no mapping in YAML: one line with the place and the cure.
    """
    text = _text(path)
    given = Given(path)
    if path.suffix == ".json":
        try:
            json.loads(text)
        except ValueError as error:
            raise InputError(path, f"is no JSON ({error})", "Mend the file") from error
        text = text.replace("\t", " ")  # which JSON allows and YAML does not
    given.content = _read(given, text) or {}
    return given


def read_argument(entry: str) -> Given:
    """Read ``name=value``, as ``--config`` gives it, like ``name: value`` in a file.

    Snakemake leaves every number, true, false and null in blocks and lists a text. An `InputError`
    as of `read_strictly`.
    """
    name, _, text = entry.partition("=")
    given = Given(Path(f"--config {name}"))
    given.content = {name: _read(given, text, (name,))}
    return given


def _read(given: Given, text: str, place: Place = ()) -> Any:
    """Return what a text says of a setting, and note what is wrong with it; nothing: of all."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        if not place and not isinstance(root, yaml.MappingNode):
            written = str(root.value)[:40]
            what = "a list" if isinstance(root, yaml.SequenceNode) else f"text, {shown(written)}"
            fault = f"line {root.start_mark.line + 1}: what stands there is no setting but {what}; "
            raise InputError(given.path, f"{fault}every setting is 'name: value', on a line", CURE)
        _Walk(given, text).walk(root, place)
        return loader.construct_document(root)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, OverflowError) as error:
        said = syntax_fault(error, text) if isinstance(error, yaml.YAMLError) else str(error)
        said = "nested without end" if isinstance(error, RecursionError) else said
        fault = f"is no readable YAML: {said}"
        raise InputError(given.path, fault, "Mend what stands there") from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:  # it may be a pipe
        raise refusal(path, error, "configuration", CURE) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
            cure = "Save it as UTF-8 (iconv -f utf16 -t utf8)"
            raise InputError(path, "is UTF-16 and not UTF-8", cure) from error
        line = content.count(b"\n", 0, error.start) + 1
        fault = f"is not UTF-8: byte {content[error.start]:#04x} in line {line}"
        raise InputError(path, fault, "Save it as UTF-8 (iconv -f latin1 -t utf8)") from error


class _Walk:
    """Goes through what was read, and notes places and problems."""

    def __init__(self, given: Given, text: str) -> None:
        self._given, self._text = given, text
        self._seen = 0

    def walk(self, node: yaml.Node, place: Place) -> None:
        """Note a setting and all below it."""
        self._seen += 1
        if self._seen > MOST_NODES or len(place) > DEEPEST:
            raise InputError(
                self._given.path,
                f"line {node.start_mark.line + 1}: settings are nested without end, or aliases "
                f"(*name) repeat them to more than {MOST_NODES:,}",
                "Write them out",
            )
        self._given.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, inner in self._pairs(node, place):
                self.walk(inner, (*place, key))
        elif isinstance(node, yaml.SequenceNode):
            for number, inner in enumerate(node.value):
                self.walk(inner, (*place, number))
        elif problem := self._changed(node, place):
            self._given.problems[place] = problem

    def _pairs(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[str, yaml.Node]]:
        first: dict[str, int] = {}
        for key, inner in node.value:
            line = key.start_mark.line + 1
            if key.tag == f"{_TAG}merge":
                continue  # what it brings stands where it was written
            name = str(key.value)
            at = (*place, name)
            if (
                node.flow_style
                and inner.start_mark.index == inner.end_mark.index == key.end_mark.index
            ):
                self._given.problems[place] = (
                    f"braces hold settings, and {shown(name)} has no value; text with braces or "
                    "commas stands in quotes, and a list in [ ]"
                )
            elif not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
                self._given.problems[at] = "names are text: put this one in quotes"
            elif name in first:
                self._given.lines[at] = line
                self._given.problems[at] = (
                    f"stands there twice (first in line {first[name]}); YAML would drop the first. "
                    "Keep one, with all that is below both"
                )
            self._given.lines.setdefault(at, line)
            first.setdefault(name, line)
            yield name, inner

    def _changed(self, node: yaml.ScalarNode, place: Place) -> str | None:
        """Say what YAML makes of a value, if that is something else than what stands there."""
        if node.style is not None:
            return None
        kind, written = node.tag.removeprefix(_TAG), str(node.value)
        if kind == "bool" and written.lower() not in ("true", "false"):
            meant = written.lower() in ("yes", "on", "y")
            return f"{written} is {str(meant).lower()} in YAML; write true or false, or '{written}'"
        if kind == "int" and re.fullmatch(
            r"[-+]?(0[0-7_]+|0[bx]\w+|\d[\d_]*(:[0-5]?\d)+)", written
        ):
            number = yaml.safe_load(written)
            return f"{written} is {number} in YAML; write {number}, or '{written}' for text"
        if kind == "float" and (":" in written or written.strip("+-").lower() in (".inf", ".nan")):
            return f"{written} is no number here; write one in decimals, or '{written}' for text"
        if kind == "timestamp":
            return f"{written} is a date in YAML; write '{written}' in quotes"
        if kind == "str" and written.lower() in _NONE:
            return f"{written} is text in YAML; write null, or '{written}' for text"
        first, last = node.start_mark.line + 1, node.end_mark.line + 1
        if first != last and not (place and place[-1] in TEXTS):
            return (
                f"lines {first} to {last} are one text in YAML; write it in one line, or the blank "
                "that is missing after '-' or ':'"
            )
        if kind == "str":
            rest = self._text[node.end_mark.index :].split("\n", 1)[0]
            free = place and (place[-1] in TEXTS or place == ("study",))
            # Behind a path or a key a comment may stand, and begins with a blank.
            if re.match(r"\s*#" if free else r"\s+#\w", rest):
                return (
                    f"the text ends at ' #' ({written!r}); what follows is a comment in YAML. Put "
                    "the text in quotes, or the comment in a line of its own"
                )
        return None
