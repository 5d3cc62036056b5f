from __future__ import annotations

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from brainstruct.figures.colour_science import appearances, further_colours, ink_on
from brainstruct.figures.style import (
    CURVATURE,
    instruction_colours,
    journal_style,
    model_colours,
)

INSTRUCTIONS = ("IC", "VQ1", "VQ2", "VQ3", "VR", "CR", "IU1", "IU2", "IU3", "SR")
"""Of the paper."""

# Brettel/Vienot-style reduction, an independent model of colour blindness
# (Vienot, Brettel & Mollon 1999), linear RGB.
VIENOT = {
    "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def smallest_difference(colours: list[str], matrix: list[list[float]] | None) -> float:
    rgb = np.array([to_rgb(colour) for colour in colours])
    if matrix is not None:
        rgb = np.clip(rgb**2.2 @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
    lab = rgb2lab(rgb[None])[0]
    return min(deltaE_ciede2000(a, b) for a, b in combinations(lab, 2))


@pytest.mark.parametrize("kind", [None, "protan", "deutan"])
def test_instructions_are_told_apart_by_any_eyes(kind):
    colours = list(instruction_colours(INSTRUCTIONS).values())
    matrix = VIENOT.get(kind)
    assert smallest_difference(colours, matrix) > 10
    for grey in CURVATURE:
        assert smallest_difference([*colours, grey], matrix) > 9


@pytest.mark.parametrize("kind", [None, "protan", "deutan"])
def test_models_are_told_apart_by_any_eyes(kind):
    keys = ["instructblip", "idefics", "mplug-owl", "vit-h", "clip-image", "clip-text"]
    random = [f"{key}-random" for key in keys[:3]]
    colours = list(model_colours([*keys, *random]).values())
    assert smallest_difference([*colours, "white"], VIENOT.get(kind)) > 7.5


def test_a_key_keeps_its_colour_in_any_company():
    assert instruction_colours(["SR", "IC"]) == {
        key: instruction_colours(INSTRUCTIONS)[key] for key in ("SR", "IC")
    }


def test_further_keys_get_distinguishable_colours_every_time():
    keys = [*INSTRUCTIONS, "MINE", "YOURS", "THEIRS"]
    first, again = instruction_colours(keys), instruction_colours(keys)
    assert first == again
    assert list(first) == keys
    assert len(set(first.values())) == len(keys)
    assert smallest_difference(list(first.values()), None) > 8


def test_further_colours_keep_away_from_those_taken():
    chosen = further_colours(["#ffffff"], 1)[0]
    assert np.linalg.norm(appearances([chosen])[0] - appearances(["#ffffff"])[0]) > 90


def test_lab_agrees_with_an_independent_implementation():
    colours = ["#000000", "#ffffff", "#1ad1fa", "#981310"]
    expected = rgb2lab(np.array([to_rgb(colour) for colour in colours])[None])[0]
    np.testing.assert_allclose(appearances(colours)[0], expected, atol=0.02)


def test_ink_reads_on_its_ground():
    assert ink_on("#faf32b") == "black"
    assert ink_on("#38162b") == "white"


def test_the_style_ignores_and_restores_the_users_settings():
    with mpl.rc_context({"font.size": 33.0, "axes.grid": True}):
        with journal_style():
            assert mpl.rcParams["font.size"] == 7
            assert not mpl.rcParams["axes.grid"]
            assert mpl.rcParams["svg.hashsalt"] == "brainstruct"
        assert mpl.rcParams["font.size"] == 33


def test_the_style_file_is_read_without_a_warning(recwarn):
    with journal_style():
        pass
    assert not recwarn.list
