"""Nothing a user downloads or types is run as code, and nothing secret is in the tree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from checkout import REPOSITORY, SMALL
from parsing import parse

from brainstruct.config.loading import load_study
from brainstruct.errors import InputError
from brainstruct.store.arrays import provenance, read_dataset
from brainstruct.store.tables import read_table

NAMES = "workflow_scripts/brainstruct/workflow"

SKIPPED = {".git", ".venv", ".snakemake", "results", "resources", "__pycache__"}

SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an AWS key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of the hub": r"\bhf_[A-Za-z0-9]{30,}\b",
    "a token of GitHub": r"\b(ghp|gho|ghs|ghu|github_pat)_[A-Za-z0-9_]{30,}\b",
    "a password": r"(?i)\b(password|passwd|secret|api_key|token)\s*[:=]\s*['\"][^'\"\s{}]{8,}['\"]",
    "a home folder": r"(?<![\w.])/(home|root|Users)/[A-Za-z0-9]",
}


def tree() -> list[Path]:
    """Every text file of the project."""
    found = []
    for path in sorted(REPOSITORY.rglob("*")):
        parts = path.relative_to(REPOSITORY).parts
        hidden = any(part.endswith("_cache") for part in parts)
        if path.is_file() and not SKIPPED & set(parts) and not hidden:
            found.append(path)
    return found


def test_no_secret_is_in_the_tree():
    found = []
    for path in tree():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(REPOSITORY)}: {what}"
            for what, pattern in SECRETS.items()
            if path != Path(__file__) and re.search(pattern, text)
        ]
    assert found == []


PROVES_HARM = REPOSITORY / "tests/models/mplug_owl/test_mplug_owl_checkpoint.py"
"""Unpickles its own malicious file, to show that what is refused elsewhere would do harm."""


RUNS_TEXT = {
    *("eval", "exec", "os.system", "os.popen", "subprocess.getoutput"),
    *("yaml.load", "yaml.full_load", "yaml.unsafe_load", "pd.read_pickle"),
}


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    nodes = ast.walk(ast.parse(path.read_bytes()))
    return [(ast.unparse(node.func), node) for node in nodes if isinstance(node, ast.Call)]


def keyword(call: ast.Call, name: str) -> object:
    values = [word.value for word in call.keywords if word.arg == name]
    return values[0].value if values and isinstance(values[0], ast.Constant) else None


@pytest.mark.parametrize("folder", ["workflow_scripts", "tests", "envs"])
def test_nothing_is_unpickled_and_no_foreign_code_is_run(folder):
    found = []
    for path in sorted((REPOSITORY / folder).rglob("*.py")):
        where = path.relative_to(REPOSITORY)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module == "pickle":
                names = {f"pickle.{alias.name}" for alias in node.names}
            else:
                continue
            bad = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
            allowed = {"pickle.UnpicklingError"}
            found += [f"{where}: imports {name}" for name in names & bad]
            found += [
                f"{where}: imports {name}" for name in names - allowed if name.startswith("pickle.")
            ]
        for function, call in calls(path):
            unsafe = function == "torch.load" and keyword(call, "weights_only") is not True
            if unsafe and path != PROVES_HARM:
                found.append(f"{where}: torch.load without weights_only")
            if keyword(call, "weights_only") is False and path != PROVES_HARM:
                found.append(f"{where}: {function} unpickles more than tensors")
            if keyword(call, "allow_pickle") is True or keyword(call, "trust_remote_code") is True:
                found.append(f"{where}: {function} runs foreign code")
            if keyword(call, "shell") is True or function in RUNS_TEXT:
                found.append(f"{where}: {function} runs text")
    assert found == []


def test_no_rule_gives_text_to_a_shell():
    for path in [REPOSITORY / "Snakefile", *(REPOSITORY / "rules").glob("*.smk")]:
        assert not re.search(r"^\s+shell:", path.read_text(), re.M), path


HOSTILE = (
    'What\'s "this"?\n$(touch owned) `touch owned`; touch owned && '
    "{wildcards.x} {{y}} %s \\ \N{BRAIN}é"
)


@pytest.mark.study
def test_hostile_instruction_texts_are_only_text(edited):
    path = edited.root / "small.yaml"
    config = yaml.safe_load(path.read_text())
    config["instruction_texts"] = {"W1": {"task": "<b>bold</b>", "text": HOSTILE}}
    config["instructions"].append("W1")
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    page = edited.root / "results/small/figures/responses.html"
    edited.run(str(page.relative_to(edited.root)), *SMALL)
    block = read_dataset(edited.root / "results/small/embeddings/instructblip/W1/shared-000.nc")
    assert provenance(block)["instruction"] == HOSTILE
    said = read_table(edited.root / "results/small/answers/instructblip/W1.tsv", ["response"])
    assert len(said) > 0
    assert "$(touch owned) `touch owned`; touch owned &amp;&amp;" in page.read_text()
    assert "<b>bold</b>" not in page.read_text()
    assert not list(edited.root.rglob("owned"))
    assert edited.run("-n", str(page.relative_to(edited.root)), *SMALL).jobs == {}


@pytest.mark.parametrize("key", ["../x", "a/b", "a b", "$(x)", ".hidden", "x\n", ""])
@pytest.mark.parametrize("place", ["models", "instructions", "checkpoints"])
def test_keys_cannot_leave_their_folders(paper_config, key, place):
    if place == "models":
        paper_config["models"][0]["key"] = key
    elif place == "instructions":
        paper_config["instruction_texts"][key] = {"task": "t", "text": "x"}
        paper_config["instructions"].append(key)
    else:
        paper_config["checkpoints"][key] = {"hub": "a/b"}
        paper_config["models"][0]["checkpoint"] = key
    with pytest.raises(InputError):
        load_study(paper_config)


@pytest.mark.parametrize("name", ["../x", "a/b", "/x", "..", ".x", "{model}", "x\n", "x" * 65, ""])
@pytest.mark.parametrize(
    "place",
    [
        ("data", "mask"),
        ("data", "rois"),
        ("data", "betas"),
        ("flatmaps", "subject"),
        ("flatmaps", "transform"),
        ("flatmaps", "patch"),
        ("synthetic", "anatomy_subject"),
    ],
    ids=".".join,
)
def test_names_in_file_names_cannot_leave_their_folders(demo_config, name, place):
    block, key = place
    demo_config[block][key] = [name] if key == "rois" else name
    with pytest.raises(InputError, match=rf"{block}\.{key}"):
        load_study(demo_config)


def test_no_wildcard_matches_a_path():
    """A target with folders of its own in a wildcard's place is made by no rule."""
    constraints = dict(parse("config/demo.yaml")[0].workflow.wildcard_constraints)
    names = "".join(path.read_text() for path in (REPOSITORY / NAMES).glob("*.py"))
    used = set(re.findall(r'= "\{(\w+)\}"', names))
    for pattern in re.findall(r'\bfile\("(.+)"\)', names):
        used |= set(re.findall(r"\{(\w+)\}", pattern))
    assert used >= {"subject", "model", "instruction", "block", "surface"}
    filled_in = {"layer", "name"}  # by the rules
    assert used - filled_in <= set(constraints)
    for name, pattern in constraints.items():
        for bad in ("..", "../x", "a/b", "/", ""):
            assert not re.fullmatch(pattern, bad), (name, bad)
