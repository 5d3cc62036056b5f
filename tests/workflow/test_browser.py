"""The report and the interactive maps in a browser: all loads, and nothing from elsewhere."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from browser import Watched, served
from checkout import Checkout
from PIL import Image
from scipy.ndimage import distance_transform_edt

from brainstruct.figures.style import NO_WINNER, instruction_colours

pytestmark = pytest.mark.study

RESULTS = "results/small"
FOLDER, EYE = "ul li", "td a[type=button]"


@pytest.fixture(scope="module")
def report(finished: Checkout, tmp_path_factory) -> Path:
    """The report of the small study, outside it."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    finished.run("--report", str(path), "--configfile", "small.yaml")
    return path


@pytest.fixture(scope="module")
def maps(finished: Checkout, browser):
    """The interactive maps of the subject, loaded once; outlines and labels are hidden."""
    opened = Watched.opened(browser)
    with served(finished.root / RESULTS / "viewer") as address:
        opened.show_maps(f"{address}/subj01/")
        opened.page.evaluate(
            "Object.values(viewer.surfs[0].surf.svg.layers).forEach("
            "layer => { layer.hide(); layer.labels.hide() })"
        )
        yield opened
        assert opened.errors == []
        assert [name for name in opened.requests if not name.startswith(address)] == []
    opened.page.close()


def categories(watched: Watched) -> list[str]:
    words = watched.page.locator("ul li").all_inner_texts()
    return [word.strip() for word in words if re.match(r"\d ", word.strip())]


def test_report_is_ordered_by_question(report, watched):
    watched.page.goto(report.as_uri())
    watched.page.wait_for_selector("text=Which model?")
    found = categories(watched)
    assert found == sorted(found)
    assert [name[0] for name in found] == sorted({name[0] for name in found})
    for name in ("1 Which model?", "2 Which instruction?", "3 Which layer?"):
        assert name in found
    assert "5 Planted and recovered" in found
    assert watched.errors == [] and watched.requests == []


def test_every_result_of_the_report_loads(report, watched):
    page = watched.page
    page.goto(report.as_uri())
    page.wait_for_selector("text=Which model?")
    shown = {"img": 0, "iframe": 0}
    for name in categories(watched):
        page.goto("about:blank")
        page.goto(report.as_uri())
        page.get_by_text(name, exact=True).first.click()
        page.wait_for_selector("tbody tr")
        for row in range(page.locator("tbody tr").count()):
            button = page.locator("tbody tr").nth(row).locator(EYE).first
            if button.get_attribute("download"):  # a table: the browser would save it
                assert button.get_attribute("href").startswith("data:")
                continue
            button.click()
            kind = page.wait_for_selector(".h-screen > div > img, iframe")
            tag = kind.evaluate("element => element.tagName.toLowerCase()")
            shown[tag] += 1
            if tag == "img":
                page.wait_for_function(
                    "() => { const i = document.querySelector('.h-screen > div > img');"
                    "return i && i.complete && i.naturalWidth > 400 }"
                )
            else:
                frame = kind.content_frame()
                frame.wait_for_load_state()
                assert len(frame.locator("body").inner_text()) > 200
    assert shown["img"] >= 5 and shown["iframe"] >= 3
    assert watched.errors == [] and watched.requests == []


def test_maps_of_every_model_are_listed(maps):
    listed = maps.page.locator("#datasets li").all_inner_texts()
    assert [name.strip() for name in listed] == [
        "InstructBLIP: winning instruction",
        "InstructBLIP: winning layer",
        "InstructBLIP: normalised alignment",
        "mPLUG-Owl: winning layer",
        "mPLUG-Owl: normalised alignment",
        "IDEFICS, random: winning layer",
        "IDEFICS, random: normalised alignment",
        "CLIP text: winning layer",
        "CLIP text: normalised alignment",
        "Noise ceiling",
    ]


def show(page, name: str) -> None:
    page.evaluate("name => viewer.setData(name)", name)
    page.wait_for_function("name => viewer.active.name == name", arg=name)


def colours_on_screen(page) -> dict[str, int]:
    """Count the pixels of the brain that are not grey, by colour."""
    shot = Image.open(io.BytesIO(page.locator("#brain").screenshot())).convert("RGB")
    pixels = np.asarray(shot).astype(int)[120:-120, 420:]  # without lists and legend
    coloured = pixels[np.ptp(pixels, axis=2) > 12]
    found, counts = np.unique(coloured, axis=0, return_counts=True)
    return {"#{:02x}{:02x}{:02x}".format(*c): int(n) for c, n in zip(found, counts, strict=True)}


PURE = 0.85
"""Share of coloured pixels that lie in one voxel; others are smoothed edges."""


def share_of(palette: list[str], page) -> float:
    """Wait until most of the coloured pixels have these colours, if they will; return the share."""
    for _ in range(40):
        found = colours_on_screen(page)
        share = sum(found.get(colour, 0) for colour in palette) / max(sum(found.values()), 1)
        if share >= PURE:
            break
        page.wait_for_timeout(500)
    return share


def test_categories_have_the_colours_of_the_figures(maps):
    show(maps.page, "InstructBLIP: winning instruction")
    palette = instruction_colours(["IC", "IU1"]) | NO_WINNER
    chips = maps.page.locator("#legend .chip").evaluate_all(
        "chips => chips.map(chip => chip.style.backgroundColor)"
    )
    assert chips == [f"rgb{tuple(bytes.fromhex(c[1:]))}" for c in palette.values()]
    assert share_of(list(palette.values()), maps.page) >= PURE


@pytest.mark.parametrize(
    ("name", "mixed"),
    [("InstructBLIP: winning layer", False), ("InstructBLIP: normalised alignment", True)],
)
def test_only_continuous_maps_are_averaged_over_depth(maps, name, mixed):
    page = maps.page
    show(page, name)

    def set_layers(count: int) -> dict[str, int]:
        page.evaluate(
            "count => { viewer.surfs[0].surf.setLayers(count); viewer.schedule() }", count
        )
        page.wait_for_timeout(2500)
        return colours_on_screen(page)

    try:
        once, often = set_layers(1), set_layers(8)
        assert sum(once.values()) > 100
        assert (once != often) == mixed
    finally:
        set_layers(1)


def test_value_under_the_pointer_is_the_name_of_a_category(maps):
    page = maps.page
    show(page, "InstructBLIP: winning instruction")
    assert share_of(list(instruction_colours(["IC", "IU1"]).values()), page) >= PURE
    shot = Image.open(io.BytesIO(page.locator("#brain").screenshot())).convert("RGB")
    colour = bytes.fromhex(instruction_colours(["IU1"])["IU1"][1:])
    inside = distance_transform_edt((np.asarray(shot) == list(colour)).all(axis=2))
    inside[-120:] = 0  # the legend
    said = []
    for place in np.argsort(inside, axis=None)[-8:]:  # pycortex reads the nearest vertex's voxel
        y, x = np.unravel_index(place, inside.shape)
        page.mouse.move(float(x), float(y))
        page.wait_for_timeout(150)
        said.append(page.locator("#mouseover_value").inner_text())
    assert said.count("IU1: Describe the most dominant color in the image") >= 4, said
    assert all(re.match("(IC|IU1): |no winner$", text) for text in said), said


def test_other_maps_can_be_chosen(maps):
    page = maps.page
    page.locator("#datasets li").nth(2).click()
    page.wait_for_function("viewer.active.name == 'InstructBLIP: normalised alignment'")
    assert not page.locator("#legend").is_visible()
    assert page.locator("#vmin").inner_text() == "0"
    assert page.locator("#vmax").inner_text() == "1"
    page.locator("#datasets li").nth(1).click()
    page.wait_for_function("viewer.active.name == 'InstructBLIP: winning layer'")
    assert page.locator("#legend .entry").count() == 5


def test_index_leads_to_the_maps(finished, browser, report):
    folder = finished.root / RESULTS / "viewer"
    with served(folder) as address:
        opened = Watched.opened(browser)
        opened.page.goto(f"{address}/")
        link = opened.page.locator("li a").first
        assert link.evaluate("link => link.href") == f"{address}/subj01/"
        assert f"--directory {RESULTS}/viewer" in opened.page.inner_text("code")
        assert opened.errors == []
        opened.page.close()
    opened = Watched.opened(browser)
    opened.page.goto((folder / "index.html").as_uri())
    assert opened.page.locator("li a").first.get_attribute("href").startswith("http://localhost:")
    opened.page.close()
