"""Which environment runs which script, and what the script imports."""

from __future__ import annotations

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "workflow"))

from parsing import parse, script_of

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "workflow_scripts"
ROOMS = tomllib.loads((ROOT / "envs/pins.toml").read_text())["rooms"]


@cache
def rules():
    """Rules that run a script, by name: those of the paper's study and of the demo."""
    parsed = [*parse(encoding={"layers_per_job": 1}), *parse("config/demo.yaml")]
    return {rule.name: rule for rule in parsed if rule.script}


def room_of(rule):
    return Path(rule.conda_env).stem


def imported(tree):
    """Names that a file imports as soon as it is imported itself."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not isinstance(node, ast.FunctionDef):
            waiting += [
                inner for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.stmt)
            ]


def files_of(name):
    """The files that are run when a module of the package is imported."""
    parts = name.split(".")
    folders = [SCRIPTS.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    places = [
        path for folder in folders for path in (folder.with_suffix(".py"), folder / "__init__.py")
    ]
    return [path for path in places if path.is_file()]


def packages(script):
    """Modules from outside that a script imports -> the file that does."""
    return _imported_by([SCRIPTS / f"{script}.py"])


def packages_of(modules):
    """The same of modules of the package that are imported late."""
    return _imported_by([path for name in modules for path in files_of(name)])


def _imported_by(waiting):
    found, seen = {}, set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imported(ast.parse(path.read_bytes())):
            top = name.partition(".")[0]
            if top == "brainstruct":
                waiting += files_of(name)
            elif top not in sys.stdlib_module_names:
                found[top] = path.relative_to(ROOT).as_posix()
    return found


def modules_of_room(room):
    """Modules from outside that the scripts of a room import."""
    scripts = {script_of(rule) for rule in rules().values() if room_of(rule) == room}
    return {name for script in scripts for name in packages(script)}
