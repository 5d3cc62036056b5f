"""Marks of significance from tables of comparisons."""

from __future__ import annotations

import pandas as pd
import pytest

from brainstruct.figures.marks import baseline_marks, best_marks, present_marks

BASELINES = {"*": ["r1", "r2"], "^": ["vit"]}


def rows(*pairs, **more):
    """One row per (a, b, difference, q)."""
    table = pd.DataFrame(pairs, columns=["a", "b", "difference", "q"])
    fixed = {"subject": "group", "measure": "alignment", "family": "floc-faces", "label": "all"}
    shares = {"prevalence": 0.98, "prevalence_low": 0.5, "prevalence_high": 1.0}
    return table.assign(**(fixed | shares | more))


def marks_of(table):
    found = baseline_marks(table, BASELINES)
    return dict(zip(found["model"], found["mark"], strict=True))


def test_a_model_better_than_every_baseline_is_marked():
    table = rows(("m", "r1", 0.1, 0.01), ("m", "r2", 0.2, 0.01), ("m", "vit", 0.1, 0.2))
    assert marks_of(table) == {"m": "*"}
    table.loc[2, "q"] = 0.05
    assert marks_of(table) == {"m": "*^"}


def test_one_baseline_that_is_not_beaten_is_enough_for_no_mark():
    assert marks_of(rows(("m", "r1", 0.1, 0.01), ("m", "r2", 0.2, 0.06))) == {}
    assert marks_of(rows(("m", "r1", 0.1, 0.01), ("m", "r2", -0.2, 0.01))) == {}


def test_baselines_that_were_not_compared_do_not_count():
    assert marks_of(rows(("m", "r1", 0.1, 0.01))) == {"m": "*"}
    assert marks_of(rows(("m", "n", 0.1, 0.01))) == {}


def test_the_order_of_a_pair_does_not_matter():
    assert marks_of(rows(("vit", "m", -0.1, 0.01))) == {"m": "^"}


def test_a_baseline_is_never_marked():
    assert marks_of(rows(("vit", "r1", 0.1, 0.01))) == {}


def test_a_missing_region_is_no_win():
    assert marks_of(rows(("m", "vit", float("nan"), float("nan")))) == {}


def test_rows_of_single_subjects_and_raw_correlations_are_left_out():
    win = ("m", "vit", 0.1, 0.01)
    assert marks_of(rows(win, subject="subj01")) == {}
    assert marks_of(rows(win, measure="r")) == {}


def test_the_best_instruction_beats_every_other_one():
    table = rows(("IC", "SR", 0.1, 0.01), ("IC", "VR", 0.1, 0.01), ("SR", "VR", 0.1, 0.01))
    found = best_marks(table.assign(model="m"))
    kept = ["model", "family", "label", "instruction", "mark"]
    assert found[kept].to_numpy().tolist() == [["m", "floc-faces", "all", "IC", "*"]]
    table.loc[1, "q"] = 0.5
    assert best_marks(table.assign(model="m")).empty


def test_models_and_regions_have_their_own_best():
    one = rows(("IC", "SR", 0.1, 0.01)).assign(model="m")
    other = rows(("IC", "SR", -0.1, 0.01), family="floc-places").assign(model="n")
    found = best_marks(pd.concat([one, other]))
    assert found[["model", "family", "instruction"]].to_numpy().tolist() == [
        ["m", "floc-faces", "IC"],
        ["n", "floc-places", "SR"],
    ]


def test_only_marks_that_occur_are_explained():
    marks = baseline_marks(rows(("m", "vit", 0.1, 0.01)), BASELINES)
    said = present_marks(marks, {"*": "random", "^": "ViT"})
    assert said == {"^": "ViT; prevalence 0.98 [0.50, 1.00] or more"}
    nothing = baseline_marks(rows(("m", "vit", 0.1, 0.9)), BASELINES)
    assert present_marks(nothing, {"^": "ViT"}) == {}


def test_a_mark_has_the_least_prevalence_of_what_earned_it():
    one = rows(("m", "r1", 0.1, 0.01)).assign(prevalence=0.7, prevalence_low=0.2)
    table = pd.concat([one, rows(("m", "r2", 0.1, 0.01), ("m", "vit", 0.1, 0.01))])
    marks = baseline_marks(table, BASELINES)
    assert marks[["mark", "prevalence", "prevalence_low"]].to_numpy().tolist() == [["*^", 0.7, 0.2]]


def test_a_table_without_tests_is_refused():
    with pytest.raises(ValueError, match="lacks the columns q"):
        baseline_marks(rows(("m", "vit", 0.1, 0.1)).drop(columns="q"), BASELINES)
