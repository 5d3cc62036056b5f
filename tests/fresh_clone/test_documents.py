"""Every code block of the documents is known to the script that follows them.

`make fresh-clone` runs them; here is what can be said without.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys

import jsonschema
import pytest
import yaml
from documents import REPOSITORY, RUN, SHOWN, TRIED, Rules, all_blocks, documents, lines_of

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study

RULES = Rules.read()
BLOCKS = all_blocks()
SCHEMA = json.loads((REPOSITORY / "config/schema.json").read_text(encoding="utf-8"))
PLACEHOLDER = re.compile(r"/path/to/[\w-]+|<[\w -]+>|\bYOUR[_A-Z]*\b")


def commands(language: str):
    return [
        block
        for block in BLOCKS
        if block.language in language.split() and RULES.key(block) not in RULES.shown
    ]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_block_is_run_tried_or_left_out_for_a_reason(block):
    known = {*RUN, *TRIED, *SHOWN}
    assert block.language in known or RULES.key(block) in RULES.shown, (
        f"{block.place} is fenced as '{block.language}': {', '.join(sorted(known))} are known; "
        "or say in tests/fresh_clone/commands.toml why it is only shown"
    )
    left = PLACEHOLDER.findall(RULES.filled(block.text))
    assert left == [] or block.language not in RUN, (
        f"{block.place}: what would a user put in for {left[0]}? See [substitute] in commands.toml"
    )


@pytest.mark.parametrize("block", commands("sh bash"), ids=lambda block: block.place)
def test_commands_are_well_formed(block):
    done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    for line in lines_of(block.text):
        swallowed = re.search(
            r"--configfile(?: \S+\.yaml\b\"?)+ (?!-|\S+\.yaml\b)(\S+)", line.split("#")[0]
        )
        assert swallowed is None, f"Snakemake takes {swallowed[1]} for a configuration file"


@pytest.mark.parametrize("block", commands("python"), ids=lambda block: block.place)
def test_python_is_well_formed(block):
    ast.parse(block.text)
    # It is run alone, and names nothing that it lacks.
    ruff = (sys.executable, "-m", "ruff", "check", "--isolated", "--select=F821", "-")
    done = subprocess.run(ruff, input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_commands_stand_in_fences():
    """Indented ones would be seen by no test."""
    for path in documents():
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
        found = re.search(r"^ {4,}(make|snakemake|\.venv/bin/\S+|[A-Z_]+=\S+) .*$", text, re.M)
        assert found is None, f"{path}: {found[0].strip()}"


def test_every_exception_is_still_needed():
    lines = [line for block in BLOCKS for line in lines_of(block.text)]
    text = "".join(block.text for block in BLOCKS)
    for kind in (RULES.skip, RULES.slow, RULES.serve):
        for start in kind:
            assert any(Rules.matches(line, start) for line in lines), start
    assert set(RULES.shown) <= {RULES.key(block) for block in BLOCKS}
    assert [name for name in RULES.substitute if name not in text] == []


@pytest.mark.parametrize("block", commands("yaml"), ids=lambda block: block.place)
def test_examples_of_configurations_are_studies(fresh, block, tmp_path):
    path = tmp_path / "local.yaml"
    path.write_text(block.text, encoding="utf-8")
    jsonschema.validate(yaml.safe_load(block.text), SCHEMA)
    planned = fresh.run("-n", "--configfile", str(path)).jobs
    assert planned["prepare_responses"] == len(load_study(read_config([path])).subjects)
    assert planned["all"] == 1


def test_links_between_documents_lead_somewhere():
    for path in documents():
        text = path.read_text(encoding="utf-8")
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
            found = path.parent / target if target else path
            assert found.exists(), f"{path}: {target}"
            if anchor and found.suffix == ".md":
                titles = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.M)
                anchors = {
                    re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles
                }
                assert anchor in anchors, f"{path}: {target}#{anchor}"
