"""Mutants are what they should be, are taken out again, and survivors are reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from choosing import Choice
from forked import LATE, forked
from mutant import Mutant
from sites import drawn, mutants
from tree import Tree

MUTATE = Path(__file__).with_name("mutate.py")


def changed(text: str) -> set[str]:
    """What becomes of a line of code, in a function."""
    source = f"def f(x, y):\n    {text}\n".encode()
    return {
        one.put_into(source).decode().splitlines()[1].strip() for one in mutants("f.py", source)
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = y < 3", {"x = y <= 3", "x = y >= 3", "x = y < 4", "x = y < 0"}),
        ("x = (y) not in x", {"x = (y) in x"}),
        ("x = 'ä' == y", {"x = 'ä' != y"}),
        ("x = x @ (y) - x", {"x = x @ (y) + x"}),
        ("x = x or y", {"x = x and y"}),
        ("x = not y", {"x = y"}),
        ("x = y[-1]", {"x = y[0]", "x = y[1]", "x = y[-2]", "x = y[-0]"}),
        ("x = y[:1]", {"x = y[:]", "x = y[:2]", "x = y[:0]"}),
        ("x = y['a']", {"x = y['ax']"}),
        ("x['a'] = y", {"x['ax'] = y", "pass"}),
        ("x.a = y", {"pass"}),
        ("x += y", {"pass", "x -= y"}),
        ("x.fsync(y)", {"pass"}),
        ("x = max(x, y)", {"x = min(x, y)", "x = max(y, x)"}),
        ("x = y.sum(axis=0)", {"x = y.mean(axis=0)", "x = y.sum()", "x = y.sum(axis=1)"}),
        ("x = f(y, dims='v')", {"x = f(y, )", "x = f(y, dims='vx')"}),
        ("return x", {"return None"}),
        ("x = x if y else f", {"x = ((f) if (y) else (x))"}),
        ("x = [f for f in y if f]", {"x = [f for f in y if True]"}),
    ],
)
def test_what_a_line_is_changed_to(line, expected):
    assert changed(line) == expected


def test_a_condition_is_turned_round_and_never_met():
    source = b"def f(x):\n    if x:\n        x.go()\n"
    found = {one.difference(source) for one in mutants("f.py", source)}
    assert found == {
        "-    if x:\n+    if (not (x)):",
        "-    if x:\n+    if False:",
        "-        x.go()\n+        pass",
    }


@pytest.mark.parametrize(
    "line",
    [
        '"""A text with 1 + 1."""',
        "x: Array[1, 2] | None",
        'raise ValueError(f"{x + 1} is not below 3")',
        "x = InputError(x, 1)",
        "log.info('%d', x + 1)",
        "x = f'{x + 1}'",
        "x = zip(x, strict=True)",
    ],
)
def test_words_annotations_and_errors_stay(line):
    assert not changed(line)


def test_defaults_and_constants_are_of_the_time_of_import():
    source = b"LIMIT = 3\n__all__ = ['x'[0]]\n\ndef f(x=1) -> 5:\n    return 7\n"
    found = {(one.scope, one.difference(source)) for one in mutants("f.py", source)}
    assert {scope for scope, diff in found if "LIMIT" in diff or "x=" in diff} == {""}
    assert {scope for scope, diff in found if "7" in diff} == {"f()"}
    assert not any("__all__" in diff or "-> 6" in diff for _, diff in found)


def test_a_draw_follows_its_seed_and_not_edits_elsewhere(tmp_path):
    path = tmp_path / "f.py"
    path.write_text("def f(x):\n    return x + 1 - 2 * 3\n")
    first = [name for name, _, _ in drawn(tmp_path, [path], 1, 4)]
    assert first == [name for name, _, _ in drawn(tmp_path, [path], 1, 9)][:4]
    assert first != [name for name, _, _ in drawn(tmp_path, [path], 2, 4)]
    path.write_text('"""New."""\n\n\ndef f(x):\n    return x + 1 - 2 * 3\n')
    assert first == [name for name, _, _ in drawn(tmp_path, [path], 1, 4)]


def test_the_tests_that_run_a_line_are_asked_quick_files_first(tmp_path):
    measured = {
        "tests/a.py::one": {"seconds": 5, "lines": {"brainstruct/x.py": [7, 8]}},
        "tests/a.py::two": {"seconds": 0, "lines": {"brainstruct/x.py": [8, 9]}},
        "tests/b.py::one": {"seconds": 1, "lines": {"brainstruct/x.py": [8]}},
        "tests/b.py::two": {"seconds": 99, "lines": {"brainstruct/x.py": [8]}},
        "tests/c.py::one": {"seconds": 0, "lines": {"brainstruct/y.py": [8]}},
    }
    for name, text in {
        "tests/a.py": "", "tests/b.py": "", "tests/c.py": "",
        "workflow_scripts/brainstruct/y.py": "from brainstruct import x",
    }.items():  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    choice = Choice(tmp_path, measured)
    place = Mutant("brainstruct/x.py", 0, 1, "", "", "f()", 8, 8)
    assert choice.tests_of(place) == ["tests/b.py::one", "tests/a.py::one", "tests/a.py::two"]
    constant = Mutant("brainstruct/x.py", 0, 1, "", "", "", 1, 1)
    assert choice.tests_of(constant)[0] == "tests/c.py::one"
    assert len(choice.tests_of(constant)) == 4


def test_work_is_ended_with_all_that_it_started(tmp_path):
    output = tmp_path / "output"

    def waiting():
        other = subprocess.Popen(["sleep", "60"])
        print(other.pid, flush=True)
        return other.wait()

    assert forked(lambda: 3, 9, output) == 3
    assert forked(lambda: 1 // 0, 9, output) == 70
    assert "ZeroDivisionError" in output.read_text()
    assert forked(waiting, 0.5, output) == LATE
    process = Path(f"/proc/{output.read_text().strip()}/status")
    end = time.monotonic() + 5
    while process.exists() and "State:\tZ" not in process.read_text():
        assert time.monotonic() < end, "what it started still runs"


@pytest.fixture
def repository(tmp_path):
    """A library of one function, half of which is tested."""
    for name, text in {
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["workflow_scripts"]\n'
        'markers = ["study: none"]\n',
        "workflow_scripts/brainstruct/__init__.py": "",
        "workflow_scripts/brainstruct/store/__init__.py": "",
        "workflow_scripts/brainstruct/store/x.py": (
            "def f(x):\n    x.seen = True\n    return 1 + 2\n"
        ),
        "tests/store/test_x.py": "from types import SimpleNamespace\n\n"
        "from brainstruct.store.x import f\n\n\n"
        "def test_f():\n    assert f(SimpleNamespace()) == 3\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_results_stay_behind_and_packages_of_that_name_come_along(
    repository, tmp_path_factory, monkeypatch
):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for name in ("results/a.nc", "workflow_scripts/brainstruct/results/a.py"):
        path = repository / name
        path.parent.mkdir()
        path.write_text("")
    copy = Tree(tmp_path_factory.mktemp("tree"), repository).root
    assert (copy / "workflow_scripts/brainstruct/results/a.py").is_file()
    assert not (copy / "results").exists()


def test_a_survivor_is_reported_once_and_the_working_tree_stays(repository):
    before = {path: path.read_bytes() for path in repository.rglob("*.py")}
    command = [sys.executable, MUTATE, "--root", repository, "--count", "9", "--seed", "3"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    first = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert first.returncode == 1, first.stderr
    survivor = "brainstruct/store/x.py:2 (statement) SURVIVED\n-    x.seen = True\n+    pass\n"
    assert survivor in first.stdout
    assert "1 tests: tests/store/test_x.py::test_f" in first.stdout
    log = repository / "results/mutants/seed-3.jsonl"
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    states = {entry["diff"].rpartition("+")[2].strip(): entry["state"] for entry in entries}
    assert states["pass"] == states["x.seen = False"] == "survived"
    assert states["return None"] == states["return 1 - 2"] == "killed"
    assert {path: path.read_bytes() for path in repository.rglob("*.py")} == before
    # A run that was stopped goes on, and tries none twice.
    log.write_text("".join(json.dumps(entry) + "\n" for entry in entries[:-1]))
    argued = repository / "tests/mutants/argued.toml"
    argued.parent.mkdir()
    words = 'verdict = "harmless"\nwhy = "nobody looks"\n'
    survived = [entry["name"] for entry in entries if entry["state"] == "survived"]
    argued.write_text("".join(f"[{name}]\n{words}" for name in survived))
    second = subprocess.run([*command, "--resume"], capture_output=True, text=True, env=environment)
    assert second.returncode == 0
    assert "(statement) harmless: nobody looks" in second.stdout
    again = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["name"] for one in again] == [one["name"] for one in entries]
