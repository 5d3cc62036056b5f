from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.alignment import NO_WINNER, find_winners
from brainstruct.encoding.concepts import concept_table, find_concepts
from brainstruct.encoding.significance import alignment_table
from ceilings import usable

NAMES = ["IC", "VQ1", "IU3", "VQ2"]
GROUPS = {"counts": ["VQ2", "IU3"], "recognition": ["VQ1", "IC"], "absent": ["SR"]}


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    shape = (4, 3, 50)
    return xr.Dataset(
        {
            name: (("instruction", "layer", "voxel"), rng.random(shape).astype(np.float32))
            for name in ("r", "cv_score")
        },
        coords={"instruction": NAMES, "layer": [0, 5, 9], "voxel": np.arange(50)},
    )


CHANCE = xr.DataArray(
    np.full((4, 50), 1e-4),
    dims=("instruction", "voxel"),
    coords={"instruction": NAMES, "voxel": np.arange(50)},
)


@pytest.fixture
def compared():
    """All pairs: the instruction named first in NAMES is surely better, in even voxels alone."""
    pairs = list(combinations(NAMES, 2))
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    return xr.Dataset(
        {
            "difference": (("comparison", "voxel"), np.full((len(pairs), 50), 0.1)),
            "p": (("comparison", "voxel"), np.tile([1e-6, 0.9], (len(pairs), 25))),
        },
        coords={"a": ("comparison", first), "b": ("comparison", second)},
    )


@pytest.fixture
def ceiling():
    values = np.full(50, 0.8, np.float32)
    values[3] = 0.01
    return usable(xr.DataArray(values, dims="voxel"))


def test_winner_within_each_group(scores, ceiling, compared):
    found = find_concepts(scores, ceiling, GROUPS, compared, CHANCE, rule="best")
    assert found["concept"].values.tolist() == ["counts", "recognition"]
    best = scores["cv_score"].max("layer").values
    for voxel in range(50):
        index = found["instruction_index"].values[:, voxel]
        if voxel == 3:
            assert (index == NO_WINNER).all()
            assert found["concept_index"].values[voxel] == NO_WINNER
            continue
        assert index.tolist() == [
            2 + best[2:, voxel].argmax(),
            best[:2, voxel].argmax(),
        ]
        assert found["concept_index"].values[voxel] == int(
            best[:2, voxel].max() > best[2:, voxel].max()
        )
    assert found["member"].values.tolist() == [
        [False, False, True, True],
        [True, True, False, False],
    ]


def test_one_group_of_all_is_the_overall_winner(scores, ceiling, compared):
    found = find_concepts(scores, ceiling, {"all": NAMES[::-1]}, compared, CHANCE, rule="mean")
    overall = find_winners(scores, ceiling, rule="mean")
    for name in ("instruction_index", "layer", "alignment", "margin"):
        np.testing.assert_array_equal(found[name].values[0], overall[name].values)


def test_group_of_one_has_no_margin(scores, ceiling, compared):
    found = find_concepts(scores, ceiling, {"one": ["IC"]}, compared, CHANCE, rule="best")
    assert found["margin"].isnull().all()
    with pytest.raises(ValueError, match="no concept"):
        find_concepts(scores, ceiling, {"none": ["SR"]}, compared, CHANCE, rule="best")


def test_clear_is_who_beats_all_that_could_have_won_instead(scores, ceiling, compared):
    groups = {"first": ["IC", "VQ1"], "last": ["IU3", "VQ2"], "alone": ["VQ2"]}
    found = find_concepts(scores, ceiling, groups, compared, CHANCE, rule="best")
    index, even = found["instruction_index"].values, np.arange(50) % 2 == 0
    concept = found["concept_index"].values
    known = concept != NO_WINNER
    np.testing.assert_array_equal(found["clear"].values[0], even & known & (index[0] == 0))
    np.testing.assert_array_equal(found["clear"].values[1], even & known & (index[1] == 2))
    assert not found["clear"].values[2].any()
    # Whatever wins the first group beats the others' members; of the last group nothing does.
    np.testing.assert_array_equal(found["concept_clear"], even & (concept == 0))
    none = find_concepts(scores, ceiling, groups, compared, CHANCE + 0.5, rule="best")
    assert not none["concept_clear"].any()
    assert not none["clear"].any()


def space():
    return xr.Dataset(
        {"roi_label": (("roi", "voxel"), (np.arange(50)[None] < 10).astype(np.int16))},
        coords={"roi": ["floc"], "voxel": np.arange(50)},
        attrs={"roi_labels": json.dumps({"floc": {"1": "FFA"}})},
    )


def test_table_of_wins(scores, ceiling, compared):
    found = find_concepts(scores, ceiling, GROUPS, compared, CHANCE, rule="best")
    table = concept_table(found, scores, ceiling, space(), rule="best", mask="mask")
    sums = table.groupby(["family", "label", "concept"])["share_won"].sum()
    np.testing.assert_allclose(sums, 1)
    assert (table["share_clear"] <= table["share_won"]).all()
    assert (table["share_concept_clear"] <= table["share_concept"]).all()
    ffa = table[table["label"] == "FFA"]
    assert (ffa["n_reliable"] == 9).all()
    assert ffa.groupby("concept")["share_concept"].first().sum() == pytest.approx(1)


def test_alignment_by_both_ceilings(scores, ceiling, compared):
    r = scores["r"].isel(layer=0)
    ceilings = {
        "ncsnr": ceiling.where(ceiling >= 0.05),
        "cross_subject": xr.full_like(ceiling, 0.5),
    }
    p = xr.full_like(r, 1e-3)
    p[:, 6:] = 0.9
    table = alignment_table(
        r,
        xr.Dataset({"p": p}),
        ceilings,
        space(),
        preferred="ncsnr",
        mask_name="mask",
    )
    row = table[(table["label"] == "FFA") & (table["instruction"] == "IC")].iloc[0]
    values = r.sel(instruction="IC").values[:10]
    assert row["alignment"] == row["alignment_ncsnr"]
    assert row["alignment"] == pytest.approx(np.delete(values, 3).mean() / 0.8, rel=1e-5)
    assert row["alignment_cross_subject"] == pytest.approx(values.mean() / 0.5, rel=1e-5)
    assert (row["n_excluded_ncsnr"], row["n_excluded_cross_subject"]) == (1, 0)
    # Six voxels are better than chance, one of them under the ceiling's threshold.
    assert row["n_significant"] == 5
    assert row["share_significant"] == pytest.approx(5 / 9)
    untested = alignment_table(
        r, xr.Dataset({"p": p * np.nan}), ceilings, space(), preferred="ncsnr", mask_name="mask",
    )  # fmt: skip
    assert untested["n_significant"].isna().all()
