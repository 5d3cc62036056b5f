"""Drawings of tidy tables."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import pytest
from bars import bars_of, profiles_of
from saving import saved

from brainstruct.figures.instruction_rois import draw_instruction_rois
from brainstruct.figures.style import model_colours

SUBJECTS, MODELS, ROIS = ("subj01", "subj02"), ("instructblip", "vit-h"), ("V1", "PPA")
N_LAYERS = dict.fromkeys(MODELS, 5)
COLOURS = model_colours(MODELS)
draw_roi_bars = partial(bars_of, colours=COLOURS)
draw_layer_profiles = partial(profiles_of, colours=COLOURS)
draw_profiles = partial(draw_layer_profiles, n_layers=N_LAYERS)


def tidy(**levels) -> pd.DataFrame:
    table = pd.DataFrame(list(product(*levels.values())), columns=list(levels))
    return table.assign(value=np.linspace(0.1, 0.9, len(table)))


@pytest.fixture
def scores() -> pd.DataFrame:
    return tidy(subject=SUBJECTS, model=MODELS, roi=ROIS)


@pytest.fixture
def by_layer() -> pd.DataFrame:
    return tidy(subject=SUBJECTS, model=MODELS, roi=ROIS, layer=range(5))


@pytest.fixture
def by_instruction() -> pd.DataFrame:
    return tidy(subject=SUBJECTS, model=MODELS, instruction=("IC", "SR"), roi=ROIS)


def heights(axes) -> list[float]:
    return [bar.get_height() for bar in axes.patches]


def test_bars_are_means_over_subjects(scores):
    drawing = draw_roi_bars(scores)
    means = scores.groupby(["roi", "model"], sort=False)["value"].mean()
    expected = [means[roi, model] for roi in ROIS for model in MODELS]
    np.testing.assert_allclose(heights(drawing.figure.axes[0]), expected)
    one = drawing.table[(drawing.table["roi"] == "PPA") & (drawing.table["model"] == "vit-h")]
    assert one["mean"].unique() == pytest.approx(one["value"].mean())
    assert one["sem"].unique() == pytest.approx(one["value"].std(ddof=1) / np.sqrt(2))


def test_an_absent_region_is_no_bar_and_no_zero(scores):
    scores.loc[scores["roi"] == "PPA", "value"] = np.nan
    axes = draw_roi_bars(scores, rois={roi: roi for roi in (*ROIS, "V9")}).figure.axes[0]
    assert len(axes.patches) == 2
    assert [text.get_text() for text in axes.texts].count("no data") == 2


def whiskers(axes) -> list[list[float]]:
    """Lower and upper ends of all vertical lines."""
    return [path[:, 1].tolist() for lines in axes.collections for path in lines.get_segments()]


def test_every_bar_and_every_subject_has_an_interval(scores):
    drawing = draw_roi_bars(scores)
    means = scores.groupby(["roi", "model"], sort=False)["value"].mean()
    centres = [*means, *scores["value"]]
    found = sorted(whiskers(drawing.figure.axes[0]))
    np.testing.assert_allclose(found, [[v - 0.05, v + 0.05] for v in sorted(centres)])
    one = drawing.table.iloc[0]
    assert (one["low"], one["high"]) == (one["value"] - 0.05, one["value"] + 0.05)
    assert one["mean_high"] == pytest.approx(one["mean"] + 0.05)
    single = draw_roi_bars(scores[scores["subject"] == "subj01"])
    assert single.table["sem"].isna().all()
    assert single.table["mean_low"].notna().all()


def test_marks_stand_over_their_bars(scores):
    marks = pd.DataFrame({"roi": ["PPA"], "model": ["vit-h"], "mark": ["*"]})
    drawing = draw_roi_bars(scores, marks=marks)
    star = next(text for text in drawing.figure.axes[0].texts if text.get_text() == "*")
    assert round(star.get_position()[0]) == 1
    shown = scores[(scores["roi"] == "PPA") & (scores["model"] == "vit-h")]
    assert star.get_position()[1] > shown["value"].max()
    assert (drawing.table["mark"] == "*").sum() == 2


def test_many_regions_wrap_into_rows():
    many = tidy(subject=SUBJECTS, model=MODELS, roi=[f"R{index}" for index in range(40)])
    axes = draw_roi_bars(many).figure.axes
    assert len(axes) > 1
    assert sum(len(panel.patches) for panel in axes) == 80


@pytest.mark.parametrize("draw", [draw_roi_bars, draw_profiles, draw_instruction_rois])
def test_a_table_with_nothing_in_it_is_drawn(draw, tmp_path):
    columns = ["subject", "model", "instruction", "roi", "layer", "value"]
    empty = pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
    assert saved(draw(empty), tmp_path / "empty")["svg"].stat().st_size > 0


@pytest.mark.parametrize("draw", [draw_roi_bars, draw_profiles, draw_instruction_rois])
def test_all_missing_is_drawn(draw, tmp_path):
    table = tidy(subject=SUBJECTS, model=MODELS, instruction=["IC"], roi=ROIS, layer=[0])
    saved(draw(table.assign(value=np.nan)), tmp_path / "missing")


@pytest.mark.parametrize("draw", [draw_roi_bars, draw_profiles, draw_instruction_rois])
def test_doubled_rows_and_missing_columns_are_refused(draw):
    table = tidy(subject=SUBJECTS, model=MODELS, instruction=["IC"], roi=ROIS, layer=[0])
    with pytest.raises(ValueError, match="doubled"):
        draw(pd.concat([table, table]))
    with pytest.raises(ValueError, match="lacks the columns roi"):
        draw(table.drop(columns="roi"))


def test_profiles_are_means_over_subjects_with_bands_over_images(by_layer):
    drawing = draw_layer_profiles(by_layer, n_layers=N_LAYERS)
    row = drawing.table.query("roi == 'PPA' and model == 'vit-h' and layer == 3").iloc[0]
    values = by_layer.query("roi == 'PPA' and model == 'vit-h' and layer == 3")["value"]
    assert row["mean"] == pytest.approx(values.mean())
    assert row["sem"] == pytest.approx(values.std(ddof=1) / np.sqrt(2))
    assert [row["low"], row["high"]] == pytest.approx([values.mean() - 0.05, values.mean() + 0.05])
    line = drawing.figure.axes[1].lines[1]
    assert line.get_ydata()[3] == pytest.approx(values.mean())
    band = drawing.figure.axes[1].collections[1].get_paths()[0].vertices[:, 1]
    assert {row["low"], row["high"]} <= set(band)


def test_one_subject_has_a_band_and_no_standard_error(by_layer):
    table = draw_layer_profiles(by_layer[by_layer["subject"] == "subj01"], n_layers=N_LAYERS).table
    assert table["sem"].isna().all()
    assert (table["low"] < table["high"]).all()


def test_relative_depth_ends_at_one_for_models_of_any_depth(by_layer):
    shallow = by_layer[(by_layer["model"] == "instructblip") | (by_layer["layer"] < 3)]
    drawing = draw_layer_profiles(shallow, n_layers={"instructblip": 5, "vit-h": 3})
    assert drawing.table.groupby("model")["depth"].max().tolist() == [1, 1]
    last = drawing.table.groupby("model")["layer"].max().to_dict()
    assert last == {"instructblip": 4, "vit-h": 2}
    assert drawing.figure.axes[0].get_xlabel() == "Relative depth"


def test_depth_is_that_of_the_model_and_not_of_its_fitted_layers(by_layer):
    n_layers = {"instructblip": 33, "vit-h": 9}
    drawing = draw_layer_profiles(by_layer, n_layers=n_layers)
    assert drawing.table.groupby("model")["depth"].max().to_dict() == {
        "instructblip": 4 / 32,
        "vit-h": 0.5,
    }
    assert drawing.figure.axes[0].get_xlim()[1] > 1
    # As deep as each other, although other layers were fitted.
    part = by_layer[(by_layer["model"] == "instructblip") | (by_layer["layer"] < 3)]
    alike = draw_layer_profiles(part, n_layers={"instructblip": 33, "vit-h": 33})
    assert alike.figure.axes[0].get_xlabel() == "Layer"


def test_the_best_instruction_of_each_region_is_framed(by_instruction):
    drawing = draw_instruction_rois(by_instruction)
    frames = [p for p in drawing.figure.axes[0].patches if not p.get_fill()]
    best = drawing.table[drawing.table["model"] == "instructblip"]
    wanted = best.loc[best.groupby("roi", sort=False)["mean"].idxmax(), "instruction"]
    rows = [("IC", "SR")[round(frame.get_y() + 0.5)] for frame in frames]
    assert rows == wanted.tolist()


def test_a_cell_without_data_is_empty(by_instruction):
    by_instruction.loc[by_instruction["roi"] == "PPA", "value"] = np.nan
    axes = draw_instruction_rois(by_instruction).figure.axes[0]
    assert {text.get_position()[0] for text in axes.texts} == {0}
    assert len([patch for patch in axes.patches if not patch.get_fill()]) == 1


def test_marks_stand_beside_their_values(by_instruction):
    marks = pd.DataFrame({"model": ["vit-h"], "instruction": ["SR"], "roi": ["PPA"], "mark": ["*"]})
    drawing = draw_instruction_rois(by_instruction, marks=marks)
    starred = [
        text for axes in drawing.figure.axes for text in axes.texts if text.get_text().endswith("*")
    ]
    assert [text.get_position() for text in starred] == [(1, 1)]
    row = drawing.table.query("mark == '*'").iloc[0]
    assert row[["model", "instruction", "roi"]].tolist() == ["vit-h", "SR", "PPA"]


def test_a_model_has_rows_for_its_own_instructions_only(by_instruction):
    own = by_instruction[
        (by_instruction["model"] != "vit-h") | (by_instruction["instruction"] == "IC")
    ]
    drawing = draw_instruction_rois(own)
    several, single = drawing.figure.axes[:2]
    assert [label.get_text() for label in single.get_yticklabels()] == ["IC"]
    # One instruction wins nothing.
    assert [len([p for p in axes.patches if not p.get_fill()]) for axes in (several, single)] == [
        2,
        0,
    ]


def test_absent_regions_are_named(by_instruction):
    drawing = draw_instruction_rois(by_instruction, footnote="No subject has hV4.")
    assert "No subject has hV4." in {text.get_text() for text in drawing.figure.texts}


def test_marks_are_explained_in_the_legend(scores):
    drawing = draw_roi_bars(scores, meanings={"^": "better than ViT-H"})
    assert "^  better than ViT-H" in {text.get_text() for text in drawing.figure.texts}
    assert not draw_roi_bars(scores).figure.texts


def test_panels_are_spread_over_rows(by_layer):
    five = pd.concat([by_layer.assign(roi=f"R{number}") for number in range(5)])
    five = five.drop_duplicates(["subject", "model", "roi", "layer"])
    boxes = [
        axes.get_position() for axes in draw_layer_profiles(five, n_layers=N_LAYERS).figure.axes
    ]
    assert [sum(box.y0 > 0.5 for box in boxes), len(boxes)] == [3, 5]
