"""What a statement may be changed to: (start, end, new text, kind)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from expressions import COMPUTED, Change, condition
from mutant import Source


def changes(source: Source, node: ast.AST) -> Iterator[Change]:
    """Yield the changes of one statement, not of those in it."""
    match node:
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield from _without(source, node)
        case ast.AugAssign():
            yield from _without(source, node)
            start, end = source.end(node.target), source.start(node.value)
            old = source.between(start, end).strip(" (").removesuffix("=")
            if old in COMPUTED:
                at = start + source.between(start, end).index(old)
                yield at, at + len(old), COMPUTED[old], "arithmetic"
        case ast.Expr(value=ast.Call()) | ast.Delete():
            yield from _without(source, node)
        case ast.Continue() | ast.Break():
            yield from _without(source, node)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield source.start(value), source.end(value), "None", "return"
        case ast.If() | ast.While():
            yield from condition(source, node.test)
        case ast.comprehension():
            for test in node.ifs:
                yield source.start(test), source.end(test), "True", "filter"


def _without(source: Source, node: ast.stmt) -> Iterator[Change]:
    yield source.start(node), source.end(node), "pass", "statement"
