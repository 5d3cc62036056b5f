from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from brainstruct import responses
from brainstruct.responses.page import Sample, choose_samples, data_uri, responses_page
from hostile import HARMFUL, TEXTS

INSTRUCTIONS = {"IC": "Describe the <b>image</b>.", "VQ1": "Any people? If yes & how many?"}
MODELS = {"idefics": "IDEFICS", "instructblip": "Instruct<BLIP>"}
PROMPTS = {
    ("idefics", "IC"): "User: <image>\nDescribe the <b>image</b>.",
    ("idefics", "VQ1"): "",
    ("instructblip", "IC"): "Describe the <b>image</b>.",
}
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Reads tables and images, and insists that every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.images: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def answer(*rows):
    return pd.DataFrame(rows, columns=["nsd_id", "response", "n_tokens", "truncated"])


@pytest.fixture
def page():
    answers = {
        ("idefics", "IC"): answer(
            (7, "<script>alert('x')</script> & \"more\"", 4, True), (90, "A dog.", 3, False)
        ),
        ("idefics", "VQ1"): answer((7, "", 0, False), (90, "odd \x00 byte\x1b", 2, False)),
        ("instructblip", "IC"): answer((7, "One.\nTwo.", 3, False), (90, "nan", 1, False)),
    }
    samples = [Sample(7, Image.new("RGB", (640, 425), "red")), Sample(90, Image.new("L", (8, 8)))]
    return responses_page(samples, answers, PROMPTS, INSTRUCTIONS, MODELS, "nsd_id")


def test_instructions_are_rows_and_models_columns(page):
    found = Reader(page)
    assert found.rows[:3] == [
        ["Model", "Instruction", "Prompt"],
        ["IDEFICS", "IC", "User: <image>\nDescribe the <b>image</b>."],
        ["Instruct<BLIP>", "IC", "Describe the <b>image</b>."],
    ]
    assert found.rows[3:6] == [
        ["Instruction", "IDEFICS", "Instruct<BLIP>"],
        [
            "IC Describe the <b>image</b>.",
            "<script>alert('x')</script> & \"more\" (cut)",
            "One.\nTwo.",
        ],
        ["VQ1 Any people? If yes & how many?", "no answer", "not asked"],
    ]
    assert found.rows[7][1:] == ["A dog.", "nan"]
    assert found.rows[8][1] == "odd \N{REPLACEMENT CHARACTER} byte\N{REPLACEMENT CHARACTER}"


def test_how_much_was_thinking_stands_behind_the_answer():
    told = answer((7, "A dog.", 3, True), (8, "", 0, False), (9, "A cat.", 3, False))
    told["thinking_share"] = [0.625, 1.0, 0.0]
    samples = [Sample(stimulus, Image.new("L", (8, 8))) for stimulus in (7, 8, 9)]
    page = responses_page(samples, {("m", "IC"): told}, {}, {"IC": "Say."}, {"m": "M"}, "nsd_id")
    assert [row[1] for row in Reader(page).rows[1::2]] == [
        "A dog. (cut) (62 % thinking)",
        "no answer (100 % thinking)",
        "A cat.",
    ]


def test_what_was_said_is_never_markup(page):
    found = Reader(page)
    assert "script" not in found.tags
    assert "alert(&#x27;x&#x27;)" in page
    assert "<title>What the models say</title>" in page


@pytest.mark.parametrize("text", [*TEXTS, HARMFUL])
def test_labels_instructions_and_answers_are_shown_as_they_are(text):
    answers = {("m", "IC"): answer((7, text, 4, False))}
    page = responses_page(
        [Sample(7, Image.new("L", (8, 8)))],
        answers,
        {("m", "IC"): text},
        {"IC": text},
        {"m": text},
        "nsd_id",
    )
    found = Reader(page)
    heads = ["Model", "Instruction", "Prompt"]
    assert found.rows[:2] == [heads, [text, "IC", text]]
    assert found.rows[2:] == [["Instruction", text], [f"IC {text}", text]]
    assert not found.tags & {"script", "svg", "iframe"}
    assert len(found.images) == 1


def test_nothing_comes_from_elsewhere(page):
    addresses = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
    assert len(addresses) == 2
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert "url(" not in page
    assert "@import" not in page


def test_accessible(page):
    found = Reader(page)
    assert '<html lang="en">' in page
    assert "color-scheme: light dark" in page
    assert "prefers-color-scheme: dark" in page
    assert [image["alt"] for image in found.images] == [
        "Image 7 of the Natural Scenes Dataset",
        "Image 90 of the Natural Scenes Dataset",
    ]
    assert re.findall("<caption>(.*)</caption>", page) == [
        "Answers about nsd_id 7",
        "Answers about nsd_id 90",
    ]
    assert page.count('scope="row"') == 6
    assert page.count('scope="col"') == 9
    for label in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert f'id="{label}"' in page


def test_pictures_are_small_and_whole():
    uri = data_uri(Image.new("RGB", (640, 425), (200, 30, 40)))
    content = base64.b64decode(uri.partition(",")[2])
    picture = Image.open(io.BytesIO(content))
    assert picture.size in {(320, 212), (320, 213)}
    assert all(abs(a - b) < 6 for a, b in zip(picture.getpixel((5, 5)), (200, 30, 40), strict=True))


def test_a_sample_nobody_answered_is_an_error():
    answers = {("idefics", "IC"): answer((7, "A dog.", 3, False))}
    with pytest.raises(KeyError):
        responses_page(
            [Sample(8, Image.new("RGB", (8, 8)))], answers, {}, INSTRUCTIONS, MODELS, "nsd_id"
        )


def test_prompts_that_were_not_kept_are_not_spoken_of():
    answers = {("idefics", "IC"): answer((7, "A dog.", 3, False))}
    samples = [Sample(7, Image.new("RGB", (8, 8)))]
    unknown = {("idefics", "IC"): ""}
    page = responses_page(samples, answers, unknown, INSTRUCTIONS, MODELS, "nsd_id")
    assert "details" not in Reader(page).tags


def test_samples_are_drawn_by_the_seed_alone():
    ids = [40, 3, 9, 12, 7, 30]
    chosen = choose_samples(ids, 3, seed=1)
    assert chosen == sorted(chosen)
    assert len(set(chosen)) == 3
    assert chosen == choose_samples(ids[::-1], 3, seed=1)
    assert any(choose_samples(ids, 3, seed=seed) != chosen for seed in range(2, 6))
    assert choose_samples(ids, 99, seed=1) == sorted(ids)


def test_the_room_knows_no_models():
    code = (
        "import sys, brainstruct.responses.page, brainstruct.responses.table\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    scripts = str(Path(responses.__file__).parents[2])
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": scripts}, check=True)
