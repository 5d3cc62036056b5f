"""A study whose every free text is hostile, to its end and in every page: all is text.

Twenty jobs, and Chromium: part of ``make test-full``. Each language has tests of its own, which
are quick, beside the code that writes it.
"""

from __future__ import annotations

import json
import os
import re

import pytest
import yaml
from browser import Watched, served
from checkout import SMALL, Checkout

from brainstruct.store.tables import read_table
from hostile import HARMFUL, TEXTS

pytestmark = [
    pytest.mark.study,
    pytest.mark.skipif("BRAINSTRUCT_TEXTS_FULL" not in os.environ, reason="make test-full"),
]

RESULTS = "results/small"
LABELS = [" ".join(TEXTS[number::4]) for number in range(4)]
TASKS = {"IC": "$\\alpha$ <b>x</b> | [@key] {{ 7*7 }}", "IU1": "W" * 200, "W1": HARMFUL[::-1]}


def make_hostile(checkout: Checkout) -> None:
    """Give the small study hostile texts, and an instruction more."""
    path = checkout.root / "small.yaml"
    config = yaml.safe_load(path.read_text())
    for model, label in zip(config["models"], LABELS, strict=True):
        model["label"] = label
    config["instruction_texts"] = {key: {"task": task} for key, task in TASKS.items()}
    config["instruction_texts"]["W1"]["text"] = HARMFUL
    config["instructions"].append("W1")
    config["concepts"]["words"] = ["W1", "IC"]
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True))


@pytest.fixture(scope="module")
def study(finished: Checkout, tmp_path_factory) -> Checkout:
    """The study, its exports and its report."""
    checkout = finished.copy(tmp_path_factory.mktemp("hostile") / "checkout")
    make_hostile(checkout)
    checkout.run("all", "exports", *SMALL, timeout=3600)
    checkout.run("--report", "report.html", *SMALL)
    return checkout


def hurt(opened: Watched) -> bool:
    return any(frame.evaluate("window.HACKED") is not None for frame in opened.page.frames)


def shows(text: str, said: str) -> bool:
    """Whether a page says a text, however it is broken into lines."""
    return " ".join(text.split()) in " ".join(said.split())


def test_the_report_opens_every_result_and_runs_no_text(study, watched):
    page, address = watched.page, (study.root / "report.html").as_uri()
    page.goto(address)
    page.wait_for_selector("text=Which model?")
    paths = page.evaluate("Object.keys(results)")
    drawn = {str(path) for path in (study.root / RESULTS / "figures").rglob("*.png")}
    assert {str(study.root / path) for path in paths} >= drawn and len(drawn) >= 12
    for path in paths:
        page.evaluate("path => app.showResultInfo(path)", path)
        page.wait_for_selector("text=Snakemake rule")
        page.evaluate(
            """path => app.setView({
            content: results[path].mime_type.startsWith('image/') ? 'img' : 'html',
            contentPath: results[path].data_uri, resultPath: path })""",
            path,
        )
        page.wait_for_timeout(200)
    params = page.evaluate("Object.values(results).map(r => r.job_properties.params).join(' ')")
    assert "<script>window.HACKED=1</script>" in params
    page.evaluate("path => app.showResultInfo(path)", f"{RESULTS}/figures/roi_bars.png")
    page.wait_for_selector("text=draw_roi_bars")
    assert "<script>window.HACKED=1</script>" in page.inner_text("body")
    assert not hurt(watched)
    assert watched.errors == [] and watched.requests == []


@pytest.mark.parametrize("page", ["figures/responses.html", "methods/methods.html"])
def test_pages_show_every_text(study, watched, page):
    watched.page.goto((study.root / RESULTS / page).as_uri())
    said = watched.page.evaluate("document.body.textContent")
    answering = LABELS[:3] if "responses" in page else LABELS
    for text in [*answering, HARMFUL, *(TASKS.values() if "methods" in page else [])]:
        assert shows(text, said), text
    watched.page.set_viewport_size({"width": 700, "height": 800})
    wide = watched.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 700  # long words are broken, or scroll within their table
    assert not hurt(watched)
    assert watched.errors == [] and watched.requests == []


def test_maps_are_listed_and_shown(study, watched):
    page = watched.page
    with served(study.root / RESULTS / "viewer") as address:
        watched.show_maps(f"{address}/subj01/")
        listed = page.evaluate(
            "[...document.querySelectorAll('#datasets li')].map(e => e.textContent)"
        )
        assert listed[0] == f"{LABELS[0]}: winning instruction"
        assert {f"{label}: winning layer" for label in LABELS} <= set(listed)
        for number, name in enumerate(listed):
            page.locator("#datasets li").nth(number).click()
            page.wait_for_function("name => viewer.active.name == name", arg=name)
            assert page.evaluate("document.getElementById('dataname').textContent") == name
        legend = page.evaluate("viewer.dataviews[Object.keys(viewer.dataviews)[0]].attrs.legend")
        assert [f"W1: {HARMFUL}"] == [text for text, _ in legend if text.startswith("W1")]
        assert not hurt(watched)
        assert [said for said in watched.errors if address not in said] == []
        assert [name for name in watched.requests if not name.startswith(address)] == []
        page.goto(f"{address}/")
        assert not hurt(watched)


def test_exports_hold_the_texts(study):
    root = study.root / RESULTS / "derivatives"
    sidecars = root.glob("sub-01/func/*_desc-instructblipByInstruction_statmap.json")
    told = json.loads(min(sidecars).read_text())
    assert told["Model"]["Label"] == LABELS[0]
    assert {one["Text"] for one in told["Volumes"]} >= {HARMFUL}
    tables = list(root.rglob("*WinningInstruction*_dseg.tsv"))
    assert any(HARMFUL in list(read_table(path, ["text"])["text"]) for path in tables)
    assert not re.search(r"(?<!\\)<script", (root / "README.md").read_text())
