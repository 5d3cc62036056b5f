"""What code a cheap stage's results depend on, as one short hash.

Stages that cost more than minutes have a number instead, see `brainstruct.workflow.formats`.

Snakemake's own code trigger looks at the script file alone (and at its modification time, so a
fresh checkout would repeat the whole study). Here the imports of a script are followed through the
package, and what is hashed is the syntax tree without docstrings: comments, formatting, checkouts
and the version of Python change nothing, an edited scale changes every figure that reaches it. A
file of another kind counts for the modules beside it that name it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from brainstruct import FORMAT_VERSION

PACKAGE = Path(__file__).parents[1]
SCRIPTS = PACKAGE.parent

PLUMBING = (
    "brainstruct.errors",
    "brainstruct.jobs",
    "brainstruct.store",
    "brainstruct.datasets.interface",
    "brainstruct.datasets.opening",
    "brainstruct.datasets.reading",
    "brainstruct.settings",
)
"""What carries results and does not shape them; `FORMAT_VERSION` stands for it.

Of a data set, a stage takes the numbers of the parts that it reads into its identity,
see `brainstruct.workflow.data.DataRoom.code`.
"""

REGISTRY = "brainstruct.models.registry"
"""Not followed: a family that is added is no business of the others.

A stage that runs a model takes the family's own entry into its identity, see
`brainstruct.workflow.models.ModelRoom.plant_code`.
"""

CONFIGURATION = "brainstruct.config"
"""Not followed either: what shapes a result reaches its job as a parameter."""


@cache
def stage_identity(script: str, *modules: str) -> str:
    """Return the identity of the code behind ``workflow_scripts/{script}.py``, as 12 hex digits.

    `modules` are those that the script imports by name at run time.
    """
    digest = hashlib.sha256(f"format {FORMAT_VERSION}\n".encode())
    for path in sorted(_reachable(SCRIPTS / f"{script}.py", modules)):
        source = _read(path)
        digest.update(f"{path.relative_to(SCRIPTS)}\n{source.code}\n".encode())
        for data in source.data:
            digest.update(f"{data.name}\n".encode() + data.read_bytes())
    return digest.hexdigest()[:12]


def folder_identity(folder: str) -> str:
    """Return the identity of files in a folder of the package that Python does not import."""
    digest = hashlib.sha256()
    root = PACKAGE / folder
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _reachable(script: Path, modules: Iterable[str]) -> set[Path]:
    waiting = [script, *filter(None, map(_module_path, modules))]
    found = set(waiting)
    while waiting:
        for path in _read(waiting.pop()).imports:
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found


class _Source(NamedTuple):
    """What a file imports, its code as text, and the files beside it that it names."""

    imports: tuple[Path, ...]
    code: str
    data: tuple[Path, ...]


@cache
def _read(path: Path) -> _Source:
    tree = ast.parse(path.read_bytes())
    code = _dump(tree)
    data = tuple(file for file in _data_files(path.parent) if ascii(file.name) in code)
    return _Source(tuple(_imports(tree)), code, data)


@cache
def _data_files(folder: Path) -> tuple[Path, ...]:
    return tuple(
        sorted(path for path in folder.iterdir() if path.suffix != ".py" and path.is_file())
    )


def _imports(tree: ast.Module) -> Iterator[Path]:
    for node in _without_typing(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from filter(None, map(_module_path, names))


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk statements and what holds them; expressions cannot import."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            if isinstance(inner := getattr(node, field, None), list):
                waiting.extend(inner)


def _without_typing(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk statements, leaving out ``if TYPE_CHECKING`` blocks: they run nothing."""
    hidden: set[ast.AST] = set()
    for node in _statements(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            hidden.update(inner for part in node.body for inner in _statements(part))
        elif node not in hidden:
            yield node


@cache
def _module_path(name: str) -> Path | None:
    parts = name.split(".")
    if parts[0] != "brainstruct" or name in {"brainstruct", REGISTRY}:
        return None
    if name.startswith((*PLUMBING, CONFIGURATION)):
        return None
    base = PACKAGE.joinpath(*parts[1:])
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _dump(node: object) -> str:
    """Write a syntax tree as text, the same with every version of Python.

    `ast.dump` shows empty fields before Python 3.13, and fields that a version
    has added. Statements that are a string and no more are left out: docstrings
    of modules, classes and functions, and those below a constant.
    """
    if isinstance(node, list):
        return f"[{','.join(_dump(item) for item in node if not _is_docstring(item))}]"
    if not isinstance(node, ast.AST):
        return ascii(node)  # which characters `repr` shows as they are depends on the version
    values = {name: getattr(node, name, None) for name in node._fields}
    if isinstance(node, ast.JoinedStr):
        values["values"] = _joined(node.values)
    fields = (
        f"{name}={_dump(value)}"
        for name, value in values.items()
        if not (value is None or value == [])
    )
    return f"{type(node).__name__}({','.join(fields)})"


def _is_docstring(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _joined(parts: list[ast.expr]) -> list[ast.expr]:
    """Join the texts of an f-string that stand side by side: not every version does."""
    joined: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.Constant) and joined and isinstance(joined[-1], ast.Constant):
            joined[-1] = ast.Constant(str(joined[-1].value) + str(part.value))
        elif not (isinstance(part, ast.Constant) and part.value == ""):
            joined.append(part)
    return joined
