"""Drawings on the made-up cortex."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from saving import saved

from brainstruct.figures.categories import paint_codes
from brainstruct.figures.flatmap_axes import view
from brainstruct.figures.planted_recovered import draw_planted_recovered
from brainstruct.figures.stage import Stage
from brainstruct.figures.style import instruction_colours
from brainstruct.figures.winning_instruction import draw_winning_instruction
from brainstruct.figures.winning_layer import draw_winning_layer

ORDER = ("IC", "IU1", "SR")
COLOURS = instruction_colours(ORDER)


@pytest.fixture
def winner(place, voxels):
    return place(np.select([voxels["j"] == 0, voxels["i"] < 4], ["", "IC"], "SR"))


def sure(keys):
    return keys.copy(data=np.ones(keys.size, bool))


def texts_of(drawing) -> set[str]:
    axes = drawing.figure.axes
    return {text.get_text() for panel in axes for text in panel.texts} - {""}


def test_only_colours_of_the_legend_are_painted(stage, winner, painted):
    drawing = draw_winning_instruction(stage, winner, sure(winner), order=ORDER, colours=COLOURS)
    image = painted(drawing.figure.axes[0])
    opaque = image[image[..., 3] > 0][:, :3]
    wanted = [to_rgb(COLOURS[key]) for key in ("IC", "SR")]
    found = np.unique(opaque.round(4), axis=0)
    np.testing.assert_allclose(found, np.unique(np.round(wanted, 4), axis=0), atol=1e-3)


def test_voxels_without_a_winner_show_the_folds(stage, winner, painted):
    drawing = draw_winning_instruction(stage, winner, sure(winner), order=ORDER, colours=COLOURS)
    image = painted(drawing.figure.axes[0])
    assert (image[:10, :, 3] == 0).all()
    assert (image[12:30, 5:30, 3] == 1).all()


def test_the_legend_says_key_share_task_and_text(stage, winner):
    drawing = draw_winning_instruction(
        stage,
        winner,
        sure(winner),
        order=ORDER,
        colours=COLOURS,
        texts={"IC": "Describe."},
        tasks={"IC": "Captioning"},
    )
    said = texts_of(drawing)
    assert {"IC", "IU1", "SR", "50 %", "0 %", "Captioning: Describe."} <= said


def test_margins_are_tabled(stage, winner, place, voxels):
    margin = place(np.where(voxels["i"] < 4, 0.01, 0.5))
    drawing = draw_winning_instruction(
        stage, winner, sure(winner), order=ORDER, colours=COLOURS, columns={"margin": margin}
    )
    table = drawing.table
    np.testing.assert_array_equal(table["margin"], margin)


def test_regions_are_named_once_per_hemisphere_and_absent_ones_never(sheet, winner, rois):
    drawing = draw_winning_instruction(
        Stage(sheet, rois), winner, sure(winner), order=ORDER, colours=COLOURS
    )
    names = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert names.count("V1") == 1
    assert "absent" not in names


def test_an_unknown_winner_is_refused(stage, winner):
    with pytest.raises(ValueError, match="SR"):
        draw_winning_instruction(stage, winner, sure(winner), order=("IC", "IU1"), colours=COLOURS)


def test_what_is_no_clear_winner_has_a_colour_and_a_share_of_its_own(stage, winner, painted):
    clear = winner.copy(data=np.asarray(winner) != "SR")
    drawing = draw_winning_instruction(stage, winner, clear, order=ORDER, colours=COLOURS)
    image = painted(drawing.figure.axes[0])
    np.testing.assert_allclose(image[20, 10, :3], to_rgb(COLOURS["IC"]), atol=1e-3)
    np.testing.assert_allclose(image[20, 70], (1, 1, 1, 1), atol=1e-3)
    said = [text.get_text() for axes in drawing.figure.axes[1:] for text in axes.texts]
    assert said[said.index("SR") + 1] == "0 %"
    assert said[said.index("no clear winner") + 1] == "50 %"
    # The table says who won all the same.
    assert set(drawing.table.loc[drawing.table["clear"] == 0, "instruction"]) == {"SR"}


def test_a_map_without_any_winner_is_drawn(stage, place, tmp_path):
    nobody = place([""] * 96)
    drawing = draw_winning_instruction(stage, nobody, sure(nobody), order=ORDER, colours=COLOURS)
    assert saved(drawing, tmp_path / "empty")["png"].stat().st_size > 0
    assert len(drawing.table) == 96


def test_layers_are_drawn_and_tabled(stage, place, voxels, tmp_path):
    layer = place(np.where(voxels["j"] == 0, np.nan, voxels["i"].values))
    drawing = draw_winning_layer(stage, layer, layer - 1, layer + 2, n_layers=33)
    saved(drawing, tmp_path / "layer")
    assert drawing.table["layer"].isna().sum() == 24
    assert drawing.figure.axes[-1].get_xlabel() != drawing.figure.axes[-2].get_xlabel()
    with pytest.raises(ValueError, match="with 5"):
        draw_winning_layer(stage, layer, layer, layer, n_layers=5)


@pytest.mark.parametrize("n_layers", [1, 2, 13])
def test_models_of_any_depth_have_a_colour_bar(stage, place, n_layers):
    for layer in (0, np.nan):
        unknown = place(np.full(96, np.nan))
        drawing = draw_winning_layer(
            stage, place(np.full(96, layer)), unknown, unknown, n_layers=n_layers
        )
        bar = drawing.figure.axes[-1]
        assert bar.get_xlabel().startswith("Layer")
        assert bar.get_xlim() == (-0.5, n_layers - 0.5)
        ticks = bar.get_xticks().tolist()
        assert ticks == list(range(0, n_layers, 2 if n_layers > 12 else 1))


def test_recovery_counts_planted_voxels_only(stage, place, voxels):
    planted = place(np.where(voxels["j"] == 0, "", "IC"))
    recovered = place(np.where(voxels["i"] < 2, "SR", "IC"))
    drawing = draw_planted_recovered(
        stage, planted, recovered, sure(planted), order=ORDER, colours=COLOURS
    )
    said = {text.get_text() for text in drawing.figure.texts}
    assert "Recovered: 54 of 72 voxels, 75.0 %; 100 % clear" in said
    assert "75 %" in texts_of(drawing)
    assert list(drawing.table) == ["i", "j", "k", "planted", "recovered", "clear"]


def test_recovery_leaves_voxels_without_a_winner_out(stage, place, voxels):
    planted = place(["IC"] * 96)
    recovered = place(np.select([voxels["i"] == 0, voxels["i"] == 1], ["", "SR"], "IC"))
    drawing = draw_planted_recovered(
        stage, planted, recovered, sure(planted), order=ORDER, colours=COLOURS
    )
    said = {text.get_text() for text in drawing.figure.texts}
    assert "Recovered: 72 of 84 voxels, 85.7 %; 100 % clear" in said


def test_recovery_without_planted_voxels_is_drawn(stage, place):
    nothing = place([""] * 96)
    drawing = draw_planted_recovered(
        stage, nothing, nothing, sure(nothing), order=ORDER, colours=COLOURS
    )
    assert any("nothing to compare" in text.get_text() for text in drawing.figure.texts)


def test_recovery_of_other_voxels_is_refused(stage, winner):
    with pytest.raises(ValueError, match="same voxels"):
        draw_planted_recovered(
            stage, winner, winner[::-1], sure(winner), order=ORDER, colours=COLOURS
        )


def test_zoom_keeps_all_data(sheet):
    shown = np.zeros_like(sheet.inside)
    shown[10:20, 50:70] = True
    rows, columns = view(sheet, shown)
    assert rows.start < 10 and rows.stop > 20 and columns.start < 50 and columns.stop > 70
    assert columns.stop - columns.start < 40
    assert view(sheet, np.zeros_like(shown)) == view(sheet, sheet.inside)


def test_painted_codes_abstain_by_transparency(sheet, place, voxels):
    image = paint_codes(sheet, place(np.where(voxels["i"] < 4, -1, 0)), ["#ff0000"])
    assert image[20, [10, 70], 3].tolist() == [0, 1]
    assert image[20, 70, :3].tolist() == [1, 0, 0]
