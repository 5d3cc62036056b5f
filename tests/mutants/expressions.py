"""What an expression may be changed to: (start, end, new text, kind)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from mutant import Source

Change = tuple[int, int, str, str]

COMPARED = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",),
    "!=": ("==",), "in": ("not in",), "not in": ("in",), "is": ("is not",), "is not": ("is",),
}  # fmt: skip
COMPUTED = {
    "+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "%": "*", "**": "*", "|": "&", "&": "|",
    "<<": ">>", ">>": "<<",
}  # fmt: skip
RENAMED = {
    "max": "min", "maximum": "minimum", "argmax": "argmin", "clamp_min": "clamp_max",
    "any": "all", "floor": "ceil", "sum": "mean", "isfinite": "isnan", "startswith": "endswith",
    "zeros": "ones", "zeros_like": "ones_like", "flatnonzero": "argsort", "append": "count",
    "sorted": "list", "removeprefix": "removesuffix",
}  # fmt: skip
RENAMED |= {new: old for old, new in RENAMED.items() if old not in {"append", "flatnonzero"}}
del RENAMED["list"]


def changes(source: Source, node: ast.AST) -> Iterator[Change]:
    """Yield the changes of one expression, not of those in it."""
    match node:
        case ast.Compare():
            sides = [node.left, *node.comparators]
            for left, right in pairwise(sides):
                yield from _operator(source, left, right, COMPARED, "comparison")
        case ast.BinOp() if not any(map(_is_text, (node.left, node.right))):
            table = {old: (new,) for old, new in COMPUTED.items()}
            yield from _operator(source, node.left, node.right, table, "arithmetic")
        case ast.BoolOp():
            table = {"and": ("or",), "or": ("and",)}
            for left, right in pairwise(node.values):
                yield from _operator(source, left, right, table, "logic")
        case ast.UnaryOp():
            yield source.start(node), source.start(node.operand), "", "sign"
        case ast.Constant():
            yield from _constant(source, node)
        case ast.Call():
            yield from _call(source, node)
        case ast.Subscript():
            yield from _subscript(source, node)
        case ast.IfExp():
            text = f"({source.text(node.orelse)}) if ({source.text(node.test)}) else "
            text = f"({text}({source.text(node.body)}))"
            yield source.start(node), source.end(node), text, "branches"


def condition(source: Source, test: ast.expr) -> Iterator[Change]:
    """Yield the changes of what an if, a while or a filter asks."""
    place = source.start(test), source.end(test)
    yield *place, f"(not ({source.text(test)}))", "condition"
    yield *place, "False", "condition"


def _is_text(node: ast.expr) -> bool:
    """Whether `+` joins, and `%` formats, texts."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _operator(
    source: Source, left: ast.expr, right: ast.expr, table: dict[str, tuple[str, ...]], kind: str
) -> Iterator[Change]:
    start, end = source.end(left), source.start(right)
    between = re.sub(r"#.*", lambda found: " " * len(found[0]), source.between(start, end))
    found = re.search(r"[^\s()\\][^()\\]*", between)
    old = found[0].rstrip() if found else ""
    for new in table.get(" ".join(old.split()), ()):
        yield start + found.start(), start + found.start() + len(old), new, kind


def _constant(source: Source, node: ast.Constant) -> Iterator[Change]:
    place, value = (source.start(node), source.end(node)), node.value
    if isinstance(value, bool):
        yield *place, str(not value), "constant"
    elif isinstance(value, int | float):
        yield *place, repr(value + 1), "constant"
        if value not in (0, -1):
            yield *place, "0" if isinstance(value, int) else "0.0", "constant"


def _text(source: Source, node: ast.expr) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield source.start(node), source.end(node), repr(node.value + "x"), "text"


QUIET = {"strict", "exist_ok", "missing_ok", "kw_only", "slots", "stacklevel"}
"""Keywords that only forbid or allow what does not come about."""


def _call(source: Source, node: ast.Call) -> Iterator[Change]:
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name in RENAMED:
        end = source.end(called)
        yield end - len(name), end, RENAMED[name], "name"
    first, second = [*node.args[:2], None, None][:2]
    if second is not None and not any(isinstance(one, ast.Starred) for one in (first, second)):
        between = source.between(source.end(first), source.start(second))
        text = source.text(second) + between + source.text(first)
        yield source.start(first), source.end(second), text, "swapped"
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in QUIET:
            continue
        end = source.end(keyword)
        comma = re.match(r"\s*,\s*", source.content[end:].decode())
        yield source.start(keyword), end + len(comma[0] if comma else ""), "", "keyword"
        yield from _text(source, keyword.value)


def _subscript(source: Source, node: ast.Subscript) -> Iterator[Change]:
    yield from _text(source, node.slice)
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for part in parts:
        place = source.start(part), source.end(part)
        match source.text(part):
            case "0":
                yield *place, "-1", "index"
            case "-1":
                yield *place, "0", "index"
        if isinstance(part, ast.Slice):
            for bound in filter(None, (part.lower, part.upper, part.step)):
                yield source.start(bound), source.end(bound), "", "slice"
