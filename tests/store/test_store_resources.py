"""Texts beside the code: whoever asks for one gives it what it needs, and none is forgotten."""

import ast
import string
import tomllib

import pytest

from rooms import SCRIPTS

FILES = sorted(SCRIPTS.rglob("findings.toml"))


def asked(folder) -> dict[str, set[str]]:
    """Finding -> what modules of a folder give of it; of several, those that begin so."""
    found = {}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "_said":
                first = node.args[0]
                name = (
                    first.value if isinstance(first, ast.Constant) else f"{first.values[0].value}*"
                )
                found[name] = {one.arg for one in node.keywords}
    return found


def in_braces(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_findings_are_said_with_all_that_they_need(file):
    given, used = asked(file.parent), set()
    for name, said in tomllib.loads(file.read_text(encoding="utf-8")).items():
        known = name if name in given else f"{name.partition('_')[0]}_*"
        assert in_braces(said["fault"]) | in_braces(said["cure"]) == given[known], name
        used.add(known)
    assert used == set(given)


def test_there_are_findings():
    assert [file.parent.name for file in FILES] == ["nsd", "doctor"]
