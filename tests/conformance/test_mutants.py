"""Changed constants that vectors must notice, and refactorings that nothing may.

A few of the first here; all of them with ``make conformance-mutants``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from parsing import parse, recorded, script_of
from seeded import NUMBERS, UNITS

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "workflow_scripts"
MUTANTS = tomllib.loads((HERE / "mutants.toml").read_text("utf-8"))
ALL = [(unit, number) for unit, found in MUTANTS.items() for number in range(len(found))]
SAMPLE = [("list_block", 0), ("collect_scores", 0), ("compare", 1)]


@pytest.fixture
def copy(tmp_path):
    """A copy of the scripts that can be edited."""
    scripts = tmp_path / "workflow_scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    return scripts


def vectors(scripts: Path, *units: str) -> subprocess.CompletedProcess[str]:
    """Compare vectors with what edited scripts give."""
    return subprocess.run(
        [sys.executable, HERE / "vectors.py", *units],
        env=os.environ | {"PYTHONPATH": str(scripts), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("unit", "number"), ALL if os.environ.get("BRAINSTRUCT_MUTANTS") == "all" else SAMPLE
)
def test_a_changed_constant_fails_the_vector_of_its_stage(copy, unit, number):
    mutant = MUTANTS[unit][number]
    path = copy / mutant["file"]
    text = path.read_text("utf-8")
    assert mutant["old"] in text, "the code has moved on: change the mutant"
    path.write_text(text.replace(mutant["old"], mutant["new"], 1), encoding="utf-8")
    result = vectors(copy, unit)
    assert result.returncode == 1, result.stderr
    assert f"{unit}: " in result.stdout, result.stderr
    assert "outputs are not what they were" in result.stdout


def test_every_mutant_finds_the_text_that_it_changes():
    lost = [
        mutant
        for found in MUTANTS.values()
        for mutant in found
        if mutant["old"] not in (SCRIPTS / mutant["file"]).read_text("utf-8")
    ]
    assert lost == []


def test_every_stage_family_and_part_has_mutants():
    found = {}
    for number in NUMBERS:
        units = [name for name, unit in UNITS.items() if number in unit.numbers]
        found[number] = sum(len(MUTANTS.get(name, [])) for name in units)
    few = {
        number: count
        for number, count in found.items()
        if count < (1 if " " in number else 3)  # a family or a part; a stage
    }
    assert few == {}


def test_a_refactoring_changes_no_parameter_of_a_stage_that_costs(copy, monkeypatch):
    """A module is renamed, a function is split, another is typed and documented."""
    encoding = copy / "brainstruct/encoding"
    (encoding / "scores.py").rename(encoding / "marks.py")
    for path in copy.rglob("*.py"):
        text = path.read_text("utf-8")
        path.write_text(text.replace("brainstruct.encoding.scores", "brainstruct.encoding.marks"))
    ceiling = encoding / "ceiling.py"
    text = ceiling.read_text("utf-8")
    whole = "np.sqrt(share).astype(np.float32)"
    assert whole in text
    split = "\n\ndef _root(share: NDArray[np.float64]) -> NDArray[np.float32]:\n"
    split += '    """Return the root."""\n    return np.sqrt(share).astype(np.float32)\n'
    ceiling.write_text(text.replace(whole, "_root(share)") + split)
    assert vectors(copy, "estimate_ceiling", "compare").stdout == ""
    from brainstruct.workflow import data, identity

    before = codes()
    monkeypatch.setattr(identity, "SCRIPTS", copy)
    monkeypatch.setattr(identity, "PACKAGE", copy / "brainstruct")
    forget(identity)
    after = codes()
    forget(identity)
    changed = {name for name, code in after.items() if code != before[name]}
    assert "export_study" not in changed
    assert {name for name in changed if name in data.STAGES} == set()
    assert "find_winners" in after


def codes() -> dict[str, object]:
    """Script -> what its rule in the demo says of its code."""
    return {
        script_of(rule): recorded(rule).get("params.code")
        for rule in parse("config/demo.yaml")
        if rule.script
    }


def forget(identity) -> None:
    for cached in (identity.stage_identity, identity._module_path, identity._read):
        cached.cache_clear()
