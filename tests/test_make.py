"""Targets of make take names as they are, whatever a shell would read into them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHOWS = '#!/bin/sh\nprintf "<%s>\\n" "$@"\n'
"""Stands for a program, and says what it was given."""


@pytest.fixture
def make(tmp_path):
    """Call make with programs that say what they were given."""
    for name in ("python", "snakemake"):
        path = tmp_path / "venv/bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SHOWS)
        path.chmod(0o755)
    (tmp_path / "venv/ready").touch()

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        venv = tmp_path / "venv"
        return subprocess.run(
            ["make", "--no-print-directory", "--old-file=envs/requirements.txt",
             "--old-file=envs/locks/requirements.txt", f"VENV={venv}",
             f"PYTHON={venv}/bin/python", *arguments],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return call


def words(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line[1:-1] for line in done.stdout.splitlines() if line.startswith("<")]


TARGETS = ["doctor", "plan", "describe", "report", "fetch_nsd", "pack", "take"]
NAMES = ["a b.yaml", "it's mine.yaml", "(old) a;b.yaml", '"a" & b.yaml', "*.yaml", "é `x`.yaml"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "target", ["doctor", "plan", "describe", "report", "fetch_nsd", "pack", "take"]
)
def test_a_configuration_is_one_word(make, target, name):
    said = words(make(target, f"CONFIG={name}", "ARGS=--dry-run --json"))
    assert said[said.index("--configfile") + 1] == name
    assert {"--dry-run", "--json"} <= {*said}
    assert "--configfile" not in words(make(target))


@pytest.mark.parametrize("name", NAMES)
def test_packs_and_models_are_one_word(make, name):
    assert words(make("pack", f"MODEL={name}", f"PACK={name}.tar"))[-2:] == [name, f"{name}.tar"]
    assert words(make("take", f"PACK={name}.tar"))[-1] == f"{name}.tar"
    assert words(make("describe", f"MODEL={name}"))[-2:] == ["--model", name]
    assert words(make("describe", f"HUB={name}"))[-2:] == ["--checkpoint", name]


@pytest.mark.parametrize("name", ["my results/viewer", "it's/viewer", "a;b (c)"])
def test_a_viewer_is_one_word(make, tmp_path, name):
    folder = tmp_path / name
    missing = make("view", f"VIEWER={folder}")
    assert missing.returncode != 0
    assert f"{folder} holds no interactive maps" in missing.stdout
    folder.mkdir(parents=True)
    (folder / "index.html").touch()
    said = words(make("view", f"VIEWER={folder}"))
    assert said[said.index("--directory") + 1] == str(folder)
