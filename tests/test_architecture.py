"""The picture in docs/architecture.md shows the imports there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import grimp
import pytest

PAGE = (Path(__file__).parents[1] / "docs/architecture.md").read_text(encoding="utf-8")
LEFT_OUT = {"errors", "store"}
"""All may use them; the page says so."""


@pytest.fixture(scope="module")
def graph():
    graph = grimp.build_graph("brainstruct", cache_dir=None, exclude_type_checking_imports=True)
    for room in graph.find_children("brainstruct"):
        graph.squash_module(room)
    return graph


def reached(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All pairs of rooms with a way of arrows from the one to the other."""
    while True:
        longer = {(a, d) for a, b in edges for c, d in edges if b == c} - edges
        if not longer:
            return edges
        edges = edges | longer


def test_the_picture_shows_the_imports(graph):
    rooms = graph.find_children("brainstruct")
    imports = {
        (importer.split(".")[1], imported.split(".")[1])
        for importer in rooms
        for imported in graph.find_modules_directly_imported_by(importer) & rooms
    }
    imports = {(a, b) for a, b in imports if a != b and not LEFT_OUT & {a, b}}
    shown = set(re.findall(r"^    (\w+) --> (\w+)$", PAGE, re.M))
    assert shown <= imports, "drawn, and no import"
    assert imports <= reached(shown), "an import, and not drawn"
    implied = {pair for pair in shown if pair in reached(shown - {pair})}
    assert implied == set(), "drawn although others imply it"


def test_every_room_is_in_the_picture_and_in_the_table(graph):
    rooms = {name.split(".")[1] for name in graph.find_children("brainstruct")} - LEFT_OUT
    assert set(re.findall(r"^        (\w+)$", PAGE, re.M)) == rooms
    table = re.findall(r"^\| (`.*?) \|", PAGE.split("## Rooms")[1], re.M)
    assert set(re.findall(r"`(\w+)`", " ".join(table))) == rooms | {"store"}


LIBRARY = sorted((Path(__file__).parents[1] / "workflow_scripts").rglob("*.py"))


def test_files_and_functions_are_small():
    """Of a function with more than 60 lines, a comment above it says why."""
    too_long = [path.name for path in LIBRARY if len(path.read_text("utf-8").splitlines()) > 300]
    for path in LIBRARY:
        text = path.read_text("utf-8")
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 60:
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                if not lines[first - 2].startswith("# Long: "):
                    too_long.append(f"{path.name}: {node.name}")
    assert too_long == []


def test_only_rooms_stand_at_the_root():
    root = Path(__file__).parents[1] / "workflow_scripts/brainstruct"
    loose = {path.name for path in root.iterdir() if path.suffix == ".py"}
    assert loose == {"__init__.py", "errors.py"}
