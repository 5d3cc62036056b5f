"""What catalogues, citation tools and image builders read agrees with what is here."""

from __future__ import annotations

import re
import subprocess

import jinja2
import pytest
import yaml
from checkout import REPOSITORY

import brainstruct
from brainstruct.config.files import read_config
from rooms import ROOMS


def test_the_catalogue_is_told_what_it_asks_for():
    usage = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
    assert usage["report"] is True
    profile = yaml.safe_load((REPOSITORY / "profiles/default/config.yaml").read_text())
    triggers = " ".join(profile["rerun-triggers"])
    assert usage["mandatory-flags"]["flags"] == f"--rerun-triggers {triggers}"
    for needed in ("Snakefile", "config/README.md", "README.md", "LICENSE"):
        assert (REPOSITORY / needed).is_file()


def test_the_citation_is_of_this_version_and_names_what_the_readme_names():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == brainstruct.__version__
    readme = (REPOSITORY / "README.md").read_text().partition("## Citing")[2]
    references = citation["references"]
    assert all({"type", "title", "authors", "year"} <= set(reference) for reference in references)
    cited = set(re.findall(r"https://doi\.org/([^)]+)", readme))
    assert {reference["doi"] for reference in references if "doi" in reference} == cited
    assert "https://arxiv.org/abs/2505.20029" in {reference.get("url") for reference in references}


def test_the_changelog_has_this_version():
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    section = changelog.split("\n## ")[1]
    assert section.startswith(f"[{brainstruct.__version__}]")
    assert f"`FORMAT_VERSION` {brainstruct.FORMAT_VERSION}" in section
    assert "### Results" in section


@pytest.mark.parametrize(
    ("pooling", "features"),
    [
        ("response_mean", "The mean hidden state of the response tokens (of all tokens"),
        ("prompt_mean", "The mean hidden state of the prompt's tokens (of all tokens"),
        ("last_prompt_token", "The hidden state of the prompt's last token (of all tokens"),
    ],
)
def test_the_report_names_the_features_that_were_used(pooling, features):
    config = read_config([])
    config["embedding"] |= {"pooling": pooling}
    # As Snakemake does.
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    template = (REPOSITORY / "report/workflow.rst").read_text(encoding="utf-8")
    text = environment.from_string(template).render(snakemake={"config": config})
    assert features in " ".join(text.split())


CAPTIONS = [
    path for path in sorted((REPOSITORY / "report").glob("*.rst"))
    if "ceiling_threshold" in path.read_text(encoding="utf-8")
]  # fmt: skip


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("threshold", "says"), [("auto", "the 95 % point of voxels without signal"), (0.1, "0.1")]
)
def test_captions_say_which_voxels_are_left_out(path, threshold, says):
    config = read_config([])
    config["alignment"] |= {"ceiling_threshold": threshold}
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    job = {"config": config, "wildcards": {"subject": "subj01", "model": "idefics"}}
    text = environment.from_string(path.read_text(encoding="utf-8")).render(snakemake=job)
    assert f" {says}" in " ".join(text.split())
    assert "auto" not in text


def sections(text):
    """Name -> lines of the sections of an Apptainer definition; the header's is empty."""
    parts = re.split(r"^%(\w+)\n", text, flags=re.MULTILINE)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_image_is_made_of_locks():
    found = sections((REPOSITORY / "envs/brainstruct.def").read_text())
    header = dict(re.findall(r"^(\w+): (.*)$", found[""], re.MULTILINE))
    assert header["Bootstrap"] == "docker"
    assert re.fullmatch(r"python:3\.11-slim-\w+", header["From"])
    for line in found["files"].split("\n"):
        if line.strip():
            assert (REPOSITORY / line.split()[0]).exists()
    rooms = re.search(r"for room in (.*); do", found["post"])[1].split()
    assert set(rooms) == set(ROOMS) - {"tools"}


@pytest.mark.parametrize("section", ["post", "runscript"])
def test_scripts_of_the_image_are_shell(section):
    text = sections((REPOSITORY / "envs/brainstruct.def").read_text())[section]
    done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
