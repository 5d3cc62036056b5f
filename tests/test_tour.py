"""Whoever knows a rule's name finds its script, names, library, tests and output."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from tour import LIBRARY, PAGE, ROOT, outputs, page


def test_the_tour_shows_the_code_that_is_there():
    assert PAGE.read_text(encoding="utf-8") == page(), "make tour"


def test_every_script_is_on_the_tour():
    scripts = {path.stem for path in (ROOT / "workflow_scripts").glob("*.py")}
    assert outputs().keys() == LIBRARY.keys() == scripts


@pytest.mark.parametrize("script", LIBRARY)
def test_rule_script_names_library_tests_and_output_go_together(script):
    place, written = outputs()[script]
    source = (ROOT / f"workflow_scripts/{script}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    # Rule and script; the function's name is held by the tests of rules and functions.
    rules = (ROOT / "rules" / place).read_text(encoding="utf-8")
    assert f'"../workflow_scripts/{script}.py"' in rules
    # Names: the file of rules takes them from the module of its own name.
    room = place.removesuffix(".smk")
    if room != "asking":
        import_module(f"brainstruct.workflow.{room}")
        assert f"{room}." in rules
    # Library: the script uses the function, and its tests call it.
    function, tests = LIBRARY[script]
    module, _, name = function.rpartition(".")
    assert callable(getattr(import_module(f"brainstruct.{module}"), name))
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert {f"brainstruct.{function}", f"brainstruct.{module}"} & imported or script in BEHIND
    assert name in source or script in BEHIND
    tested = (ROOT / tests).read_text(encoding="utf-8")
    assert re.search(rf"\b({name}|{script})\b", tested)
    assert Path(tests).parts[0] == "tests"
    assert (written == "") == (script in {"discard_embeddings", "doctor", "fetch_nsd", "plan"})


BEHIND = {"fetch_nsd"}
"""A command stands between the script and the function."""
