"""Matrices and bars of partitioned variance."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from bars import share_ends
from saving import saved

from brainstruct.dictionary.describe import describe
from brainstruct.figures.shared_variance import draw_shared_variance
from brainstruct.figures.style import instruction_colours

KEYS = ["IC", "VQ1", "SR"]
PARTS = ["unique_reference", "shared", "unique_other"]


def partitions(subjects=("subj01", "subj02"), rois=("nsdgeneral", "floc-faces"), pairs=None):
    rows = []
    for number, subject in enumerate(subjects):
        for roi in rois:
            for place, (a, b) in enumerate(pairs or combinations(KEYS, 2)):
                shared = 0.1 * (place + 1) + 0.02 * number
                rows.append((subject, roi, a, b, shared + 0.3, shared + 0.2, shared, 0.3, 0.2))
    names = ["subject", "roi", "a", "b", "r2_a", "r2_b", "shared", "unique_a", "unique_b"]
    return pd.DataFrame(rows, columns=names)


def draw(table, **options):
    return draw_shared_variance(
        table, share_ends(table), reference="IC", colours=instruction_colours(KEYS), **options
    )


def panel(drawing, title):
    return next(axes for axes in drawing.figure.axes if axes.get_title("left") == title)


def test_matrices_hold_what_pairs_share_and_what_each_explains(tmp_path):
    drawing = draw(partitions(rois=["nsdgeneral"]))
    cells = {
        tuple(map(round, text.get_position())): float("0" + text.get_text())
        for text in panel(drawing, "subj02").texts
    }
    assert cells[0, 1] == pytest.approx(0.12)
    assert cells[1, 2] == pytest.approx(0.32)
    assert cells[0, 0] == pytest.approx(np.mean([0.42, 0.52]))
    assert (1, 0) not in cells
    saved(drawing, tmp_path / "shared")


def test_numbers_lose_a_leading_zero_and_no_other():
    table = partitions(rois=["nsdgeneral"], subjects=["subj01"])
    table["shared"] = [10.05, -0.05, 0.1]
    written = {text.get_text() for text in panel(draw(table), "subj01").texts}
    assert {"10.05", "-.05", ".10"} < written


def test_pairs_that_were_not_partitioned_are_empty():
    table = partitions(pairs=[("IC", "VQ1"), ("IC", "SR")])
    texts = panel(draw(table), "subj01").texts
    assert len(texts) == 5


def test_bars_are_means_over_subjects():
    drawing = draw(partitions())
    bars = [bar.get_height() for bar in panel(drawing, "floc-faces").patches]
    np.testing.assert_allclose(bars, [0.3, 0.11, 0.2, 0.3, 0.21, 0.2])
    row = drawing.table.query("subject == 'subj01' and roi == 'floc-faces' and b == 'SR'").iloc[0]
    assert row["shared_mean"] == pytest.approx(0.21)
    assert row["shared_sem"] == pytest.approx(0.01)


def test_the_reference_may_be_the_second_of_a_pair():
    swapped = partitions(pairs=[("VQ1", "IC")])
    drawing = draw(swapped)
    bars = [bar.get_height() for bar in panel(drawing, "floc-faces").patches]
    np.testing.assert_allclose(bars, [0.2, 0.11, 0.3])
    assert (drawing.table["other"] == "VQ1").all()


def test_pairs_without_the_reference_have_no_mean():
    table = draw(partitions()).table
    alone = table[(table["a"] == "VQ1") & (table["b"] == "SR")]
    assert (alone["other"] == "").all()
    assert alone["shared_mean"].isna().all()


def test_negative_variance_is_drawn_below_zero():
    table = partitions()
    table["unique_b"] = -0.05
    axes = panel(draw(table), "nsdgeneral")
    assert min(bar.get_height() for bar in axes.patches) == pytest.approx(-0.05)
    assert axes.get_ylim()[0] < -0.05


def test_one_subject_has_no_standard_error_and_intervals_over_images():
    drawing = draw(partitions(subjects=["subj01"]))
    assert drawing.table["shared_sem"].isna().all()
    drawn = [one.get_segments()[0][:, 1] for one in panel(drawing, "nsdgeneral").collections]
    assert len(drawn) == 12  # of two pairs of three parts: the mean's, and the subject's
    assert np.ptp(drawn, axis=1) == pytest.approx(np.full(12, 0.1))


def test_intervals_are_of_the_part_whichever_side_the_reference_is_on():
    swapped = {"a": "b", "b": "a", "unique_a": "unique_b", "unique_b": "unique_a"}
    table = partitions()
    one, other = (draw(each).table.dropna() for each in (table, table.rename(columns=swapped)))
    for part in PARTS:
        names = [f"{part}_{end}" for end in ("low", "mean", "high")]
        np.testing.assert_allclose(one[names], other[names])
        low, mean, high = one[names].to_numpy().T
        np.testing.assert_allclose((low + high) / 2, mean)


def test_an_absent_region_says_so():
    table = partitions()
    table.loc[table["roi"] == "floc-faces", ["shared", "unique_a", "unique_b"]] = np.nan
    drawing = draw(
        table, regions={name: name for name in ("nsdgeneral", "floc-faces", "floc-words")}
    )
    for region in ("floc-faces", "floc-words"):
        assert [text.get_text() for text in panel(drawing, region).texts] == ["no data"] * 2


def test_eight_subjects_fit_a_page():
    subjects = [f"subj0{number}" for number in range(1, 9)]
    figure = draw(partitions(subjects=subjects)).figure
    assert len([axes for axes in figure.axes if axes.get_title("left") in subjects]) == 8


def test_the_table_says_that_its_numbers_are_shares_of_explainable_variance():
    drawn = draw(partitions()).table
    told = describe("figures/shared_variance/instructblip.tsv", drawn.columns)
    keys = {"subject", "roi", "a", "b", "other"}
    units = {told[name].get("Units") for name in drawn.columns if name not in keys}
    assert units == {"share of explainable variance"}
    assert "noise ceiling" in told["r2_a"]["Description"]


def test_doubled_rows_and_missing_columns_are_refused():
    table = partitions()
    with pytest.raises(ValueError, match="doubled"):
        draw(pd.concat([table, table]))
    with pytest.raises(ValueError, match="lacks the columns shared"):
        draw(table.drop(columns="shared"))
