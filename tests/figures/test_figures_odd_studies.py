"""Figures of studies that are larger, smaller and named otherwise than the paper's."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from bars import bars_of, profiles_of, share_ends
from lettering import misprinted

from brainstruct.figures.column_names import ColumnNames
from brainstruct.figures.instruction_rois import draw_instruction_rois
from brainstruct.figures.map_layout import MapLayout
from brainstruct.figures.model_scatter import draw_model_scatter
from brainstruct.figures.page import BOLD, Page, text_width, wrapped
from brainstruct.figures.shared_variance import draw_shared_variance
from brainstruct.figures.style import DOUBLE_COLUMN, instruction_colours, model_colours
from brainstruct.figures.subject_bars import subject_keys
from brainstruct.figures.winning_instruction import draw_winning_instruction

MOODS = [f"MOOD{number}" for number in range(25, 45)]
KEYS = [f"AN-INSTRUCTION-OF-MANY-WORDS{n:02d}" for n in range(20)]  # as long as keys can be
LABEL = "A model with a label of just about sixty characters, number"
SUBJECTS = ("subj01", "subj02", "subj05", "subj07")
REGIONS = ("Whole mask", "V1v", "mTL-bodies", "FFA-1", "aTL-faces", "PPA")


def tidy(**levels) -> pd.DataFrame:
    table = pd.DataFrame(list(product(*levels.values())), columns=list(levels))
    return table.assign(value=np.random.default_rng(0).uniform(0, 0.8, len(table)))


def partitions(keys, regions) -> pd.DataFrame:
    pairs = pd.DataFrame(
        [(s, roi, *pair) for s, roi, pair in product(SUBJECTS, regions, combinations(keys, 2))],
        columns=["subject", "roi", "a", "b"],
    )
    shares = np.random.default_rng(0).uniform(0, 0.3, (len(pairs), 5))
    return pairs.assign(
        **dict(zip(("r2_a", "r2_b", "shared", "unique_a", "unique_b"), shares.T, strict=True))
    )


def shared_variance(keys, regions=REGIONS[:2]):
    table = partitions(keys, regions)
    return draw_shared_variance(
        table, share_ends(table), reference=keys[0], colours=instruction_colours(keys), title=LABEL
    )


def panels(drawing) -> list:
    return [axes for axes in drawing.figure.axes if axes.get_title("left") in REGIONS]


@pytest.mark.parametrize("keys", [["IC"], ["IC", *MOODS[:7]], MOODS, KEYS])
@pytest.mark.parametrize("told", [True, False])
def test_keys_of_a_map_leave_room_for_their_shares(stage, place, keys, told):
    winner = place([keys[voxel % len(keys)] for voxel in range(96)])
    texts = {key: f"Say in a sentence or two how {key} it feels to be there." for key in keys}
    more = {"texts": texts, "tasks": dict.fromkeys(keys, "Mood")} if told else {}
    drawing = draw_winning_instruction(
        stage, winner, winner != "", order=keys, colours=instruction_colours(keys), **more
    )
    assert misprinted(drawing.figure) == []


@pytest.mark.parametrize(("models", "regions"), [(1, 1), (1, 6), (3, 6), (12, 6)])
def test_bars_have_room_for_their_names(models, regions):
    labels = {f"mine{n}": f"{LABEL} {n}" for n in range(models)}
    names = {roi: f"Family {roi} with a long name" for roi in REGIONS[:regions]}
    table = tidy(subject=SUBJECTS, model=list(labels), roi=list(names))
    looks = {"colours": model_colours(list(labels)), "rois": names, "models": labels}
    meanings = {"*": "better than random weights", "^": f"better than {LABEL}, {LABEL}"}
    assert misprinted(bars_of(table, meanings=meanings, **looks).figure) == []
    by_layer = pd.concat([table.assign(layer=layer) for layer in range(3)])
    profiles = profiles_of(by_layer, n_layers=dict.fromkeys(labels, 3), **looks)
    assert misprinted(profiles.figure) == []


@pytest.mark.parametrize(
    ("instructions", "regions"), [(["IC"], REGIONS[:1]), (MOODS, REGIONS), (KEYS[:3], REGIONS)]
)
def test_matrices_have_room_for_their_names(instructions, regions):
    table = tidy(subject=SUBJECTS, model=["a", "b"], instruction=instructions, roi=regions)
    drawing = draw_instruction_rois(
        table, models={"a": LABEL, "b": "B"}, footnote="No subject has " + ", ".join(KEYS[:9])
    )
    assert misprinted(drawing.figure) == []


@pytest.mark.parametrize("keys", [MOODS[:2], MOODS[:4], MOODS, KEYS[:4]])
def test_pairs_have_room_for_their_names(keys):
    assert misprinted(shared_variance(keys).figure) == []


@pytest.mark.parametrize("count", [2, 4, 10])
def test_pairs_fill_their_panels(count):
    for axes in panels(shared_variance(MOODS[:count])):
        low, high = axes.get_xlim()
        assert high - low == pytest.approx(count - 1 + 0.2)
        width = axes.get_position().width * DOUBLE_COLUMN
        assert width <= max(12 * (count - 1), 30)


def test_names_are_level_slanted_or_upright_as_there_is_room():
    page, angles = Page(100, 50), []
    for names, pitch in ((["IC", "SR"], 5), (["Whole mask"], 9), (["MOOD32"], 5), (["MOOD32"], 3)):
        axes = page.axes(20, 5, 70, 20)
        ColumnNames(names, pitch).write(axes)
        angles.append(axes.get_xticklabels()[0].get_rotation())
    assert angles == [0, 0, 45, 90]


def test_no_two_subjects_share_a_symbol():
    keys = subject_keys([f"person{number}" for number in range(20)])
    assert len({(key.get_marker(), key.get_color()) for key in keys}) == 20


@pytest.fixture
def alignment(voxels):
    values = np.random.default_rng(0).uniform(0, 1, (2, 96))
    return xr.DataArray(
        values, dims=("model", "voxel"), coords={**voxels.coords, "model": ["a", "b"]}
    )


@pytest.mark.parametrize("regions", [1, 5, 8])
def test_counts_of_voxels_stand_outside_the_hexagons(alignment, regions):
    inside = {f"Region {n}": np.ones(96, bool) for n in range(regions)}
    figure = draw_model_scatter(alignment, inside, model_labels={"a": LABEL}).figure
    assert misprinted(figure) == []
    for axes in figure.axes[:-1]:
        for text in axes.texts:
            assert text.get_window_extent().y0 > axes.bbox.y1
    assert figure.axes[0].get_xlabel().replace("\n", " ").startswith("Alignment, A model")
    assert len(figure.axes[-1].get_xticks()) > 1


def test_a_number_that_rounds_to_zero_has_no_sign():
    table = tidy(subject=SUBJECTS, model=["a"], instruction=["IC", "SR"], roi=REGIONS)
    cells = draw_instruction_rois(table.assign(value=-0.001)).figure.axes[0].texts
    assert {text.get_text() for text in cells} == {"0.00"}
    table = partitions(MOODS[:2], REGIONS[:1]).assign(shared=-0.004, r2_a=-0.0, r2_b=-0.04)
    drawing = draw_shared_variance(
        table, share_ends(table), reference=MOODS[0], colours=instruction_colours(MOODS), title=""
    )
    texts = drawing.figure.axes[0].texts
    assert {text.get_text() for text in texts} == {".00", "-.04"}


def test_a_frame_and_a_star_are_explained():
    table = tidy(subject=SUBJECTS, model=["a"], instruction=["IC", "SR"], roi=REGIONS[:2])

    def said(drawing) -> str:
        keys = [text for one in drawing.figure.legends for text in one.get_texts()]
        return " ".join(text.get_text() for text in [*keys, *drawing.figure.texts])

    plain = said(draw_instruction_rois(table))
    assert "best of the region" in plain
    assert "*" not in plain
    marks = pd.DataFrame({"model": ["a"], "instruction": ["SR"], "roi": ["V1v"], "mark": ["*"]})
    assert "*  ahead of every other" in said(draw_instruction_rois(table, marks=marks))


@pytest.mark.parametrize("shape", [0.25, 0.5, 0.8, 1.0, 1.4])
@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (4, 2), (9, 3), (36, 3)])
def test_cortices_of_any_shape_fill_their_page(shape, count, columns):
    layout = MapLayout.best([shape] * count, ["subj01: alignment"] * count, lambda _: 30, columns)
    assert layout.height + layout.below < 235
    row = [place for place in layout.places if place.top == layout.places[0].top]
    assert sum(place.width for place in row) > 0.66 * layout.width
    for one, other in combinations(layout.places, 2):
        beside = one.left + one.width < other.left or other.left + other.width < one.left
        assert beside or one.top + one.height < other.top


def test_cortices_of_several_shapes_stand_in_full_rows():
    layout = MapLayout.best([0.5, 1.0, 1.9, 0.25], ["subj"] * 4, lambda _: 14, 2)
    tops = {place.top for place in layout.places}
    for top in tops:
        row = [place for place in layout.places if place.top == top]
        assert sum(place.width for place in row) == pytest.approx(layout.width - 6, abs=1)


def test_text_is_as_wide_as_it_is_printed():
    figure = Page(180, 20).figure
    figure.set_dpi(600)  # on coarser ones letters are moved to whole pixels
    for text in ("MOOD32", "illicit", "Describe the picture."):
        for weight, factor in (("normal", 1.0), ("bold", BOLD)):
            drawn = figure.text(0, 0, text, fontsize=7, fontweight=weight, family="DejaVu Sans")
            width = drawn.get_window_extent().width / figure.dpi * 25.4
            assert factor * text_width(text, 7) == pytest.approx(width, rel=0.07)


def test_lines_fit_their_width_and_what_is_left_is_an_ellipsis():
    lines = wrapped("WWW " * 30, 30, 7).splitlines()
    assert len(lines) == 4 and lines[-1].endswith("\N{HORIZONTAL ELLIPSIS}")
    assert max(text_width(line, 7) for line in lines) <= 30
    assert wrapped("字" * 40, 30, 7, 9).count("\n") == 3
    assert wrapped("", 30, 7) == ""
    assert wrapped("ab", -1, 7) == "a\nb"
