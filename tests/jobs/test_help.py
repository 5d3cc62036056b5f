"""What a script says of itself is made from its function."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fit_ridge
import join_tables
from brainstruct.jobs.help import usage

ROOT = Path(__file__).parents[2]


def said(module) -> str:
    name = module.__name__
    return usage(Path(f"{name}.py"), module.__doc__ or "", getattr(module, name))


def test_arguments_are_shown_with_type_and_meaning():
    lines = [line.split() for line in said(fit_ridge).splitlines()]
    assert ["responses", "Path", "betas", "of", "a", "subject"] in [line[:6] for line in lines]
    assert ["targets_per_batch", "int", "setting", "encoding.targets_per_batch"] in lines
    assert ["prediction", "Path", "|", "None"] in [line[:4] for line in lines]
    assert ["encoding", "FitSettings"] in [line[:2] for line in lines]


def test_the_docstrings_say_what_it_does():
    text = said(join_tables)
    assert "Rule join_tables: regional tables" in text
    assert "join_tables: Concatenate in the order of the configuration." in text


@pytest.mark.parametrize(
    ("script", "arguments", "status"),
    [("join_tables", ["--help"], 0), ("list_viewers", [], 2), ("doctor", ["--help"], 0)],
)
def test_a_script_run_by_hand_explains_itself(script, arguments, status):
    done = subprocess.run(
        [sys.executable, f"workflow_scripts/{script}.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert f"{script}.py" in (done.stdout if status == 0 else done.stderr)
    assert "Traceback" not in done.stderr
