"""Texts in figures: none is mathematics, all fit, letters have signs or a word says why not."""

from __future__ import annotations

import re
import warnings
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from bars import bars_of, profiles_of
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from saving import saved

from brainstruct.figures import letters
from brainstruct.figures.instruction_rois import draw_instruction_rois
from brainstruct.figures.letters import NOTE, find_letters
from brainstruct.figures.model_scatter import draw_model_scatter
from brainstruct.figures.page import overhang, text_width, wrapped
from brainstruct.figures.style import journal_style
from brainstruct.figures.winning_instruction import draw_winning_instruction
from hostile import HARMFUL, TEXTS

KEYS = [f"m{number}" for number in range(len(TEXTS))]
LABELS = dict(zip(KEYS, TEXTS, strict=True))
COLOURS = {key: f"#{7919 * number:06x}" for number, key in enumerate([*KEYS, "IC", "IU1"])}
REGIONS = ("V1", "EBA")
SUBJECTS = ("subj01", "subj02")


def table(**columns) -> pd.DataFrame:
    rows = list(product(SUBJECTS, *columns.values()))
    made = pd.DataFrame(rows, columns=["subject", *columns])
    return made.assign(value=np.linspace(0.1, 0.9, len(made)))


def bars(stage, place):
    marks = pd.DataFrame([("V1", "m0", "*")], columns=["roi", "model", "mark"])
    given = table(model=KEYS, roi=REGIONS)
    return bars_of(given, models=LABELS, colours=COLOURS, marks=marks, meanings={"*": HARMFUL})


def profiles(stage, place):
    given = table(model=KEYS, roi=REGIONS, layer=[0, 1])
    return profiles_of(given, n_layers=dict.fromkeys(KEYS, 2), models=LABELS, colours=COLOURS)


def matrices(stage, place):
    given = table(model=KEYS, instruction=["IC", "IU1"], roi=REGIONS)
    return draw_instruction_rois(given, models=LABELS, footnote="")


def scatter(stage, place):
    values = np.linspace(0, 1, 3 * 40).reshape(3, 40)
    index = {axis: ("voxel", np.arange(40)) for axis in "ijk"}
    alignment = xr.DataArray(values, dims=("model", "voxel"), coords={"model": KEYS[:3], **index})
    inside = {name: np.arange(40) % 2 == 0 for name in REGIONS}
    return draw_model_scatter(alignment, inside, model_labels=LABELS, title=HARMFUL)


def winners(stage, place):
    keys = np.array(["IC", "IU1"])[np.arange(96) % 2]
    asked = {"IC": HARMFUL, "IU1": TEXTS[0]}
    return draw_winning_instruction(
        stage,
        place(keys),
        place(np.ones(96, bool)),
        order=list(asked),
        texts=asked,
        tasks={"IC": "W" * 200, "IU1": "$a$"},
        colours=COLOURS,
    )


FIGURES = (bars, profiles, matrices, scatter, winners)


@pytest.fixture(scope="module")
def drawn_by():
    """Figures with hostile texts, each drawn once."""
    return {}


@pytest.fixture(params=FIGURES, ids=lambda draw: draw.__name__)
def drawn(request, stage, place, drawn_by):
    if request.param not in drawn_by:
        drawn_by[request.param] = request.param(stage, place)
    return drawn_by[request.param]


def test_no_text_is_mathematics(drawn):
    texts = [text for text in drawn.figure.findobj(Text) if text.get_text()]
    assert any("$" in text.get_text() or "<" in text.get_text() for text in texts)
    assert not any(text.get_parse_math() for text in texts)


def test_pictures_hold_texts_as_outlines_and_nothing_else(drawn, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a letter without a sign, of a layout that fails
        paths = saved(drawn, tmp_path / "a")
    root = ElementTree.parse(paths["svg"]).getroot()
    assert {re.sub("{.*}", "", element.tag) for element in root.iter()} <= {
        *("svg", "metadata", "RDF", "Work", "type", "format", "creator", "Agent", "title", "defs"),
        *("style", "g", "path", "use", "clipPath", "rect", "image"),
    }
    links = [value for element in root.iter() for name, value in element.items() if "href" in name]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)


def test_all_texts_lie_within_the_page(drawn):
    with journal_style():
        figure = drawn.figure
        figure.draw_without_rendering()
        width, height = figure.bbox.size
        for text in figure.findobj(Text):
            if re.search("[^\\W\\d]|[<$]", text.get_text()):  # ticks beyond the axes are not drawn
                box = text.get_window_extent()
                assert box.x0 > -1 and box.x1 < width + 1, text.get_text()
                assert box.y0 > -1 and box.y1 < height + 1, text.get_text()


@pytest.mark.parametrize("text", [*TEXTS, HARMFUL])
@pytest.mark.parametrize("width", [12.0, 40.0, 170.0])
def test_lines_fit_their_width_and_lose_nothing(text, width):
    lines = wrapped(text, width, 7, most=1000)
    assert text_width(lines, 7) <= width
    assert re.sub(r"\s", "", lines) == re.sub(r"\s", "", text)
    few = wrapped(text, width, 7)
    assert few == lines or (few.count("\n") == 3 and few.endswith("\N{HORIZONTAL ELLIPSIS}"))
    assert overhang(few, 7) < 10


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.fixture
def figure():
    with journal_style():
        yield Figure()


def test_letters_of_the_figures_own_font_stay_as_they_are(figure):
    said = "Ελληνικά русский العربية עברית ✓"
    written = figure.text(0, 0, said)
    before = written.get_fontfamily()
    find_letters(figure)
    assert texts_of(figure) == [said] and written.get_fontfamily() == before


def test_a_letter_that_no_font_has_is_said_once(figure, monkeypatch):
    monkeypatch.setattr(letters, "_choose", lambda wanted, manager: [])
    letters._fonts_with.cache_clear()
    figure.text(0, 0, "a \N{DEVANAGARI LETTER HA} b")
    figure.text(0, 1, "\N{BRAIN}")
    find_letters(figure)
    assert texts_of(figure) == ["a \ufffd b", "\ufffd", NOTE]
    find_letters(figure)
    assert texts_of(figure).count(NOTE) == 1
    letters._fonts_with.cache_clear()


def test_another_font_of_the_machine_lends_its_letters(figure, monkeypatch):
    """The fonts of formulas stand for a user's: they have a letter that the figures' own lacks."""
    own = set(map(chr, FT2Font(findfont(FontProperties("DejaVu Sans"))).get_charmap()))
    other = findfont(FontProperties("STIXGeneral"))
    letter = min(set(map(chr, FT2Font(other).get_charmap())) - own - set(map(chr, range(160))))
    monkeypatch.setattr(letters, "get_data_path", lambda: "/nowhere")
    fonts = font_manager.fontManager
    two = [one for one in fonts.ttflist if one.name in ("DejaVu Sans", "STIXGeneral")]
    monkeypatch.setattr(fonts, "ttflist", two)
    letters._fonts_with.cache_clear()
    written = figure.text(0, 0, f"a {letter}")
    find_letters(figure)
    assert texts_of(figure) == [f"a {letter}"]
    assert written.get_fontfamily() == ["DejaVu Sans", "STIXGeneral"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    letters._fonts_with.cache_clear()
