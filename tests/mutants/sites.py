"""All mutants of the library: where something may be changed, and where not."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import expressions
import statements
from mutant import Mutant, Source

PACKAGES = ("datasets", "encoding", "models", "embedding", "store")
"""What computes numbers, reads or publishes."""
LEFT_OUT = ("*/models/tiny/*", "*/mplug_owl/tiny.py", "*/nsd/synthetic/*")
"""What makes inputs of tests and of the demo; `--modules` draws from them, too."""
SILENT = {"log", "logging", "warnings"}


def files(scripts: Path, modules: str | None) -> list[Path]:
    """Return the files to draw from: those of a glob, below brainstruct, or all that count."""
    package = scripts / "brainstruct"
    if modules:
        return sorted(path for path in package.glob(modules) if path.suffix == ".py")
    found = sorted(path for name in PACKAGES for path in (package / name).rglob("*.py"))
    return [path for path in found if not any(fnmatch(str(path), out) for out in LEFT_OUT)]


def mutants(file: str, content: bytes) -> list[Mutant]:
    """Return all mutants of a file that are still Python, and other than it."""
    source = Source(file, content)
    found = []
    for node, scope, lines in _visited(source.tree, "", (1, 1)):
        for start, end, new, kind in _changes(source, node):
            if source.between(start, end) != new:
                found.append(Mutant(file, start, end, new, kind, scope, *lines))
    return [one for one in dict.fromkeys(found) if _compiles(one.put_into(content))]


def drawn(
    scripts: Path, paths: Iterable[Path], seed: int, count: int
) -> list[tuple[str, Mutant, str]]:
    """Return (name, mutant, diff), in an order that the seed makes and edits elsewhere leave."""
    found: dict[str, tuple[str, Mutant, str]] = {}
    for path in paths:
        content = path.read_bytes()
        for one in mutants(path.relative_to(scripts).as_posix(), content):
            found.setdefault(one.name(content), (one.name(content), one, one.difference(content)))
    rank = {name: hashlib.blake2b(f"{seed} {name}".encode()).digest() for name in found}
    return [found[name] for name in sorted(found, key=rank.__getitem__)[:count]]


def _changes(source: Source, node: ast.AST) -> Iterator[expressions.Change]:
    yield from statements.changes(source, node)
    yield from expressions.changes(source, node)


Visited = tuple[ast.AST, str, tuple[int, int]]


def _visited(node: ast.AST, scope: str, lines: tuple[int, int]) -> Iterator[Visited]:
    """Yield what may be changed, the function it lies in, and the lines of its statement."""
    for child in _kept(node):
        if _is_quiet(child):
            continue
        if isinstance(child, ast.stmt):
            lines = child.lineno, _last_line(child)
        yield child, scope, lines
        inner = scope
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{scope}.{child.name}".removeprefix(".")
        if isinstance(child, ast.FunctionDef):
            # Defaults are of the time at which the function is defined.
            for default in filter(None, [*child.args.defaults, *child.args.kw_defaults]):
                yield from _visited(ast.Expr(default), scope, lines)
            inner += "()"
        yield from _visited(child, inner, lines)


def _last_line(node: ast.stmt) -> int:
    """Return the last line of a statement, of a block that of its head."""
    body = getattr(node, "body", None)
    return max(node.lineno, body[0].lineno - 1) if body else node.end_lineno


def _kept(node: ast.AST) -> Iterator[ast.AST]:
    """Children without annotations, decorators and parameters."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "args"} and isinstance(
            node, ast.FunctionDef | ast.ClassDef | ast.AnnAssign | ast.Lambda
        ):
            continue
        yield from (one for one in (value if isinstance(value, list) else [value])
                    if isinstance(one, ast.AST))  # fmt: skip


def _is_quiet(node: ast.AST) -> bool:
    """Docstrings, messages of errors, logs, __all__, names of types."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Raise() | ast.JoinedStr() | ast.Assert():
            return True
        case ast.keyword(arg=name):
            return name in expressions.QUIET
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in SILENT
        case ast.Call(func=ast.Name(id=name)):
            return name.endswith(("Error", "Warning")) or name in {"TypeVar", "getLogger", "cast"}
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name == "__all__" or (name[0].isupper() and _is_type(node.value))
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _is_type(node: ast.expr) -> bool:
    """Whether a value is the name of a type: `Rows = NDArray[np.intp]`."""
    match node:
        case ast.Subscript(value=ast.Name(id=name)):
            return name[0].isupper() or name in {"tuple", "dict", "list"}
        case ast.BinOp(op=ast.BitOr(), left=ast.Name() | ast.Attribute() | ast.Subscript()):
            return True
    return False


def _compiles(content: bytes) -> bool:
    try:
        compile(content, "mutant", "exec")
    except SyntaxError:
        return False
    return True
