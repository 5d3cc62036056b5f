"""Reports of studies that are not finished."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from browser import Watched
from checkout import SMALL

from brainstruct.workflow.reporting import _MOST, is_asked, said
from hostile import HARMFUL, TEXTS

LIBRARY = Path(__file__).parents[2] / "workflow_scripts"

SNAKEFILE = """
import sys
from brainstruct.workflow.reporting import is_asked, show_what_is_there

if is_asked(sys.argv):
    build = workflow._build_dag

    def build_and_look():
        build()
        show_what_is_there(workflow)

    workflow._build_dag = build_and_look


report: "about.rst"


rule all:
    input:
        "joined.txt",


rule part:
    output:
        report("{name}.txt", category="parts"),
    shell:
        "echo words of {wildcards.name} > {output}"


rule join:
    input:
        "one.txt",
        "two.txt",
    output:
        report("joined.txt"),
    shell:
        "cat {input} > {output}"
"""
HOSTILE = (
    SNAKEFILE.split("report:")[0]
    + """
configfile: "config.json"
texts = config["texts"]


report: "about.rst"


rule part:
    output:
        report(
            "{name}.txt",
            caption="caption.rst",
            category=texts[0],
            labels={text: text for text in texts if "{" not in text},  # would be wildcards
        ),
    params:
        texts={t: t for t in texts},
    shell:
        "echo words > {output}"
"""
)
ABOUT = "About\n=====\nMissing: {{ snakemake.config.get('missing_from_report') }}\n"


def test_a_report_shows_what_is_there_and_names_what_is_not(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "about.rst").write_text(ABOUT)

    def snakemake(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(LIBRARY)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    snakemake("one.txt")
    told = snakemake("--report", "unfinished.html")
    assert "2 of its files are missing:\n  joined.txt\n  two.txt\n" in told
    page = (tmp_path / "unfinished.html").read_text()
    assert "one.txt" in page
    assert "Missing: [&#x27;joined.txt&#x27;" in page or "'joined.txt', 'two.txt'" in page


def test_texts_in_a_report_are_only_text(tmp_path, browser):
    """Parameters, labels, categories and captions, which Snakemake pastes into a script."""
    (tmp_path / "config.json").write_text(json.dumps({"texts": [*TEXTS, HARMFUL]}))
    (tmp_path / "about.rst").write_text("About\n=====\n")
    (tmp_path / "caption.rst").write_text("Words of {{ snakemake.wildcards.name }}.\n")
    (tmp_path / "Snakefile").write_text(HOSTILE)
    for arguments in (["one.txt"], ["one.txt", "--report", "report.html"]):
        subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(LIBRARY)},
            capture_output=True,
            check=True,
        )
    opened = Watched.opened(browser)
    page = opened.page
    page.goto((tmp_path / "report.html").as_uri())
    page.wait_for_function("typeof app !== 'undefined' && app")
    page.evaluate("app.showResultInfo('one.txt')")
    page.get_by_text("Words of one.").wait_for()
    for text in TEXTS:
        assert " ".join(text.split()) in " ".join(
            page.evaluate("document.body.textContent").split()
        )
    assert page.evaluate("window.HACKED") is None
    assert opened.errors == [] and opened.requests == []
    page.close()


def test_who_asks_for_a_report():
    assert is_asked(["snakemake", "--report", "a.html"])
    assert is_asked(["snakemake", "--report=a.html"])
    assert not is_asked(["snakemake", "--report-stylesheet", "a.css"])


def test_many_missing_files_are_counted():
    text = said([f"{n}.png" for n in range(_MOST + 3)])
    assert text.startswith(f"The report shows an unfinished study: {_MOST + 3} of its files")
    assert text.endswith("and 3 more, which the report names")


@pytest.mark.study
def test_the_study_has_a_report_without_a_figure_and_with_all(edited):
    command = (sys.executable, "-m", "brainstruct.planning.reporting", *SMALL)
    library = str(edited.root / "workflow_scripts")
    whole = edited.command(*command, PYTHONPATH=library)
    assert (whole.status, "missing" in whole.text) == (0, False), whole.text
    page = edited.root / "results/small/report.html"
    assert "This study is not finished" not in page.read_text()
    (edited.root / "results/small/figures/roi_bars.png").unlink()
    part = edited.command(*command, PYTHONPATH=library)
    assert part.status == 0, part.text
    assert "1 of its files are missing:\n  results/small/figures/roi_bars.png" in part.text
    assert "This study is not finished" in page.read_text()
