"""What scripts say of themselves agrees with the rules."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from brainstruct.jobs.usage import ROOT, example_target, served_rules, usage

SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))
SYNTHETIC = "rules/synthetic.smk"


def doc(script: Path) -> str:
    return ast.get_docstring(ast.parse(script.read_text())) or ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_says_what_it_serves_and_how_to_run_it(script):
    shown = usage(script.stem, doc(script))
    assert doc(script).startswith("Rule"), "says in its first line which rule it serves"
    assert doc(script).splitlines()[0].split(": ", 1)[1].split()[0] in shown
    rules = served_rules(script.stem)
    assert rules
    for rule in rules:
        assert f"{rule.name} ({rule.file})" in shown
        assert f"--cores 4 {example_target(rule)}" in shown
        assert "{" not in example_target(rule), "a wildcard without an example"
        assert not any(
            file.pattern is None and not file.meaning for file in (*rule.reads, *rule.writes)
        )


def test_reads_and_writes_are_the_rule_s():
    (rule,) = served_rules("find_winners")
    assert [file.pattern for file in rule.reads] == [
        "results/scores/{subject}/{model}.nc",
        "results/ceilings/{subject}.nc",
    ]
    assert [str(file) for file in rule.writes] == [
        "results/winners/{subject}/{model}.nc  Winning instruction and layer of every voxel"
    ]
    assert [rule.name for rule in served_rules("tabulate_comparisons")] == [
        "tabulate_model_comparisons",
        "tabulate_instruction_comparisons",
    ]


@pytest.mark.parametrize("synthetic", [False, True], ids=["paper", "demo"])
def test_the_commands_run_the_rules(fresh, synthetic):
    rules = [
        rule
        for script in SCRIPTS
        for rule in served_rules(script.stem)
        if (rule.file == SYNTHETIC) is synthetic
        # Questions leave no files; the other rule is there if jobs fit some layers only.
        and rule.name not in ("doctor", "fetch_nsd", "plan", "predict_selected")
    ]
    configuration = ("--configfile", "config/demo.yaml") if synthetic else ()
    targets = dict.fromkeys(example_target(rule) for rule in rules)
    planned = fresh.run("-n", *targets, *configuration).jobs
    for rule in rules:
        start = rule.name.split("{")[0].rstrip("*")
        # Its data being absent, the paper's study waits for check_nsd besides.
        assert any(name.startswith(start) for name in planned), rule.name


@pytest.mark.parametrize(
    ("script", "arguments", "status"), [("join_tables", ["--help"], 0), ("list_viewers", [], 2)]
)
def test_a_script_run_by_hand_explains_itself(script, arguments, status):
    done = subprocess.run(
        [sys.executable, f"workflow_scripts/{script}.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    said, silent = (done.stdout, done.stderr) if status == 0 else (done.stderr, done.stdout)
    assert said.startswith(f"workflow_scripts/{script}.py\n")
    assert silent == ""
