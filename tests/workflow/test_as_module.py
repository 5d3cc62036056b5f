"""Another workflow uses this one as a module: from a folder, and from a hosted repository."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from checkout import SMALL, Checkout

OUTER = """
configfile: "small.yaml"


module brainstruct:
    snakefile:
        {snakefile}
    config:
        config


use rule * from brainstruct{names}


onstart:
    brainstruct.onstart()


onerror:
    brainstruct.onerror()


rule count_images:
    default_target: True
    input:
        "results/small/stimuli/subj01.tsv",
    output:
        "counted.txt",
    shell:
        "wc -l < {{input}} > {{output}}"
"""


def outer(root: Path, snakefile: str, names: str = "") -> Checkout:
    """Write another workflow, with the small study's settings."""
    root.mkdir()
    (root / "Snakefile").write_text(OUTER.format(snakefile=snakefile, names=names))
    (root / "small.yaml").write_bytes((Path(__file__).parent / "small.yaml").read_bytes())
    return Checkout(root)


def git(*arguments: str, folder: Path) -> str:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    command = ["git", *who, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def hosted(tmp_path, monkeypatch) -> str:
    """A release of this workflow on GitHub, which is a folder for once; its Snakefile there."""
    repository = tmp_path / "github" / "lab" / "brainstruct"
    Checkout.fresh(repository)
    git("init", "--quiet", folder=repository)
    git("add", "--all", folder=repository)
    git("commit", "--quiet", "--message=Release", folder=repository)
    git("tag", "v1.0", folder=repository)
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[url "file://{tmp_path}/github/"]\n    insteadOf = https://github.com/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return 'github("lab/brainstruct", path="Snakefile", tag="v1.0")'


def test_a_module_has_the_jobs_of_the_study(fresh, tmp_path):
    workflow = outer(tmp_path / "outer", f'"{fresh.root}/Snakefile"')
    assert workflow.run("-n", "all").jobs == fresh.run("-n", *SMALL).jobs


def test_a_hosted_module_runs_from_its_repository_alone(hosted, tmp_path):
    workflow = outer(tmp_path / "outer", hosted, " as bs_*")
    done = workflow.run("count_images", "bs_plan")
    images = (workflow.root / "counted.txt").read_text()
    assert int(images) == 1 + 60 + 190, "a line of names, shared images, unique images"
    plan = json.loads((workflow.root / "results/small/plan.json").read_text())
    rules = {stage["rule"] for stage in plan["stages"]}
    assert "embed" in rules and any(rule.startswith("fit_ridge_") for rule in rules)
    assert "rule bs_write_synthetic_stimuli:" in done.text
    # The library came from the repository, at the tagged revision.
    (unpacked,) = (tmp_path / "cache").rglob("source-cache/brainstruct/*")
    assert unpacked.name == git("rev-parse", "v1.0", folder=tmp_path / "github/lab/brainstruct")
