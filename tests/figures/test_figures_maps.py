"""Maps of several panels: alignment and margin, noise ceilings, concepts."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from saving import saved

from brainstruct.figures import concepts as concept_maps
from brainstruct.figures.alignment_maps import draw_alignment_maps
from brainstruct.figures.noise_ceiling import draw_noise_ceiling
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import instruction_colours
from ceilings import usable


def captions(drawing) -> list[str]:
    return [text.get_text() for text in drawing.figure.texts]


def said(drawing) -> set[str]:
    return {text.get_text() for panel in drawing.figure.axes for text in panel.texts}


def maps(drawing) -> list:
    """Axes of flatmaps: the folds and a layer."""
    return [axes for axes in drawing.figure.axes if len(axes.images) == 2]


@pytest.fixture
def winners(place, voxels):
    alignment = place(np.where(voxels["j"] == 0, np.nan, voxels["i"] / 10))
    margin = place(np.where(voxels["j"] == 0, np.nan, voxels["k"] / 50))
    return xr.Dataset({"alignment": alignment, "margin": margin})


def test_maps_wrap_into_rows_and_share_a_view(sheet, stage):
    layer = np.zeros((*sheet.inside.shape, 4), np.float32)
    one, other = layer.copy(), layer.copy()
    one[5:10, 5:10, 3] = 1
    other[20:25, 60:65, 3] = 1
    zoomed = Stage(sheet)
    page, below = draw_maps([Panel(zoomed, one), Panel(zoomed, other)], lambda _: 10, columns=1)
    upper, lower = page.figure.axes
    assert upper.get_xlim() == lower.get_xlim()
    assert upper.get_xlim()[0] <= 5 and upper.get_xlim()[1] >= 64
    assert upper.get_position().y0 > lower.get_position().y1
    assert below == pytest.approx(page.height - 10 - 2)


def test_many_rows_still_fit_a_page(sheet, stage):
    layer = np.zeros((*sheet.inside.shape, 4), np.float32)
    page, _ = draw_maps([Panel(stage, layer, "x")] * 24, lambda _: 20, columns=2)
    assert page.height < 247


def test_only_the_first_map_names_regions(sheet, rois, winners):
    drawing = draw_alignment_maps(Stage(sheet, rois), {"a": winners, "b": winners})
    named = [any(text.get_text() == "V1" for text in axes.texts) for axes in maps(drawing)]
    assert named == [True, False, False, False, False, False]


def test_models_are_rows_at_one_scale(stage, winners, tmp_path):
    low = winners / 2
    drawing = draw_alignment_maps(stage, {"a": winners, "b": low}, labels={"a": "Model A"})
    assert len(maps(drawing)) == 6
    assert {"Model A: alignment", "b: alignment", "margin"} <= set(captions(drawing))
    bars = {axes.get_xlabel(): axes.get_xlim() for axes in drawing.figure.axes}
    assert bars["Normalised brain alignment"] == (0, 1)
    assert bars["Margin over the runner-up"] == (0, pytest.approx(0.02))
    assert drawing.table.groupby("model").size().to_dict() == {"a": 96, "b": 96}
    saved(drawing, tmp_path / "maps")


def test_the_first_column_is_painted_by_alignment(stage, winners, painted):
    image = painted(maps(draw_alignment_maps(stage, {"a": winners}))[0])
    # Brighter to the right, where i is larger, within the row that has data.
    row = image[30, :, :3].sum(-1)
    assert row[10] < row[35] < row[70]
    assert image[4, 10, 3] == 0


def test_a_model_with_one_instruction_has_no_margin(stage, winners):
    alone = winners.assign(margin=winners["margin"] * np.nan)
    drawing = draw_alignment_maps(stage, {"a": winners, "b": alone})
    assert "one instruction: no margin" in captions(drawing)
    only = draw_alignment_maps(stage, {"b": alone})
    assert len(maps(only)) == 1
    assert "Margin over the runner-up" not in {axes.get_xlabel() for axes in only.figure.axes}


def test_no_model_is_an_error(stage):
    with pytest.raises(ValueError, match="no model"):
        draw_alignment_maps(stage, {})


def drawn_ceilings(stage, ceilings, threshold=0.05):
    found = {
        subject: {kind: usable(values, threshold) for kind, values in one.items()}
        for subject, one in ceilings.items()
    }
    return draw_noise_ceiling(dict.fromkeys(ceilings, stage), ceilings, found)


def test_ceilings_say_how_much_is_above_the_threshold(stage, place, voxels):
    ceiling = place(np.where(voxels["i"] < 2, 0.01, 0.6))
    drawing = drawn_ceilings(stage, {"subj01": {"ncsnr": ceiling}, "subj02": {"ncsnr": ceiling}})
    assert "subj01, from repetitions: 75 % above 0.05" in captions(drawing)
    assert drawing.figure.axes[-1].get_xlim() == (0, 1)
    assert drawing.table.groupby(["subject", "ceiling"]).size().tolist() == [96, 96]


def test_a_threshold_of_each_voxel_is_said_in_words_and_not_marked(stage, place):
    full = place(np.full(96, 0.5))
    own = {"subj01": {"ncsnr": full, "cross_subject": full}}
    found = {"subj01": {
        "ncsnr": usable(full, 0.1674),
        "cross_subject": full.assign_attrs(threshold="2 standard errors"),
    }}  # fmt: skip
    drawing = draw_noise_ceiling({"subj01": stage}, own, found)
    assert "subj01, from repetitions: 100 % above 0.167" in captions(drawing)
    said = [caption.replace("\n", " ") for caption in captions(drawing)]
    assert "subj01, from other subjects: 100 % above 2 standard errors" in said
    marked = {line.get_xdata()[0] for line in drawing.figure.axes[-1].lines}
    assert marked == {0.1674}


def test_a_subject_without_one_kind_of_ceiling_says_so(stage, place):
    full = place(np.full(96, 0.5))
    drawing = drawn_ceilings(
        stage, {"subj01": {"ncsnr": full, "cross_subject": full}, "subj02": {"ncsnr": full}}
    )
    assert "subj02: none" in captions(drawing)
    assert len(maps(drawing)) == 4
    assert len(drawing.table) == 3 * 96


def test_voxels_without_a_ceiling_are_not_above_it(stage, place):
    drawing = drawn_ceilings(stage, {"subj01": {"ncsnr": place(np.full(96, np.nan))}})
    assert "subj01, from repetitions: 0 % above 0.05" in captions(drawing)


GROUPS = {"scene": ["CR", "SR"], "counts": ["IU3"]}
COLOURS = instruction_colours(["IC", "CR", "IU3", "SR"])


def draw_concepts(stage, concept, winners, clear=True, **more):
    sure = {
        name: keys.copy(data=np.full(keys.size, clear))
        for name, keys in ({"": concept} | winners).items()
    }
    return concept_maps.draw_concepts(stage, concept, winners, sure, colours=COLOURS, **more)


@pytest.fixture
def concepts(place, voxels):
    left = voxels["i"] < 4
    missing = voxels["j"] == 0
    return {
        "concept": place(np.select([missing, left], ["", "scene"], "counts")),
        "winners": {
            "scene": place(np.select([missing, left], ["", "CR"], "SR")),
            "counts": place(np.where(missing, "", "IU3")),
        },
    }


def test_every_concept_with_a_race_has_a_map(stage, concepts, tmp_path):
    drawing = draw_concepts(
        stage, concepts["concept"], concepts["winners"], groups=GROUPS, texts={"SR": "Highlight."}
    )
    assert len(maps(drawing)) == 2
    assert [text for text in captions(drawing) if text] == ["Winning concept", "Within scene"]
    assert {"50 %", "alone", "scene: Highlight."} <= said(drawing)
    assert list(drawing.table)[3:] == [
        "concept",
        "clear",
        "within_scene",
        "clear_scene",
        "within_counts",
        "clear_counts",
    ]
    saved(drawing, tmp_path / "concepts")


def test_within_a_concept_instructions_keep_their_colours(stage, concepts, painted):
    drawing = draw_concepts(stage, concepts["concept"], concepts["winners"], groups=GROUPS)
    row = painted(maps(drawing)[1])[30]
    np.testing.assert_allclose(row[10, :3], to_rgb(COLOURS["CR"]), atol=1e-3)
    np.testing.assert_allclose(row[70, :3], to_rgb(COLOURS["SR"]), atol=1e-3)


def test_concepts_without_a_clear_winner_are_white(stage, concepts, painted):
    drawing = draw_concepts(stage, concepts["concept"], concepts["winners"], False, groups=GROUPS)
    for axes in maps(drawing):
        image = painted(axes)
        assert (image[image[..., 3] > 0] == 1).all()
    assert {"no clear winner", "100 %"} <= said(drawing)


def test_an_instruction_of_two_concepts_has_a_share_of_each(stage, concepts, voxels):
    groups = {"scene": ["CR", "SR"], "more": ["SR", "IC"]}
    winners = {"scene": concepts["winners"]["scene"], "more": concepts["winners"]["scene"]}
    winners["more"] = winners["more"].where(winners["more"] != "CR", "IC")
    where = concepts["concept"].where(concepts["concept"] != "counts", "more")
    assert "50 % / 50 %" in said(draw_concepts(stage, where, winners, groups=groups))


def test_a_concept_has_one_colour_in_all_models(stage, concepts, place, painted):
    every = draw_concepts(stage, concepts["concept"], concepts["winners"], groups=GROUPS)
    only = draw_concepts(
        stage,
        place(["counts"] * 96),
        {"counts": place(["IU3"] * 96)},
        groups={"counts": ["IU3"]},
        concepts=list(GROUPS),
    )
    colours = [painted(maps(one)[0])[30, 70] for one in (every, only)]
    np.testing.assert_array_equal(*colours)


def test_concepts_without_a_race_are_one_map(stage, place):
    groups = {"counts": ["IU3"], "caption": ["IC"]}
    winners = {"counts": place(["IU3"] * 96), "caption": place(["IC"] * 96)}
    drawing = draw_concepts(stage, place(["counts"] * 96), winners, groups=groups)
    assert len(maps(drawing)) == 1


def test_a_winner_from_outside_its_concept_is_refused(stage, concepts):
    winners = concepts["winners"] | {"counts": concepts["winners"]["scene"]}
    with pytest.raises(ValueError, match="CR, SR"):
        draw_concepts(stage, concepts["concept"], winners, groups=GROUPS)
