"""Which labels of the data set are parts of a region."""

from __future__ import annotations

import pytest

from brainstruct.brain.region_names import distinct_names, region_of
from brainstruct.datasets.nsd.labels import LABELS

PARTS = {
    **{f"V{area}{half}": f"V{area}" for area in (1, 2, 3) for half in "vd"},
    **{f"{name}-{number}": name for name in ("FBA", "FFA", "VWFA") for number in (1, 2)},
}
"""All of them; every other label is a region of its own."""

HCP_MMP1 = (
    *("V1", "MST", "V6", "V2", "V3", "V4", "V8", "V3A", "V7", "V6A", "V3B", "V4t", "V3CD", "DVT"),
    *("i6-8", "s6-8", "9-46d", "p9-46v", "a9-46v", "IP0", "IP1", "7PC", "6d", "6v", "24dv", "10d"),
    *("PHA1", "VMV1", "VVC", "TE1a", "LO1", "31pd", "d23ab", "a24pr", "33pr", "PH", "FFC", "POS1"),
)
"""Of its 180 names, those that look most like parts."""


def test_parts_are_those_of_the_data_sets_own_labels():
    labels = {label for names in LABELS.values() for label in names.values()}
    assert {label: region_of(label) for label in labels} == {
        label: PARTS.get(label, label) for label in labels
    }
    assert PARTS.keys() <= labels


@pytest.mark.parametrize("label", HCP_MMP1)
def test_areas_of_hcp_mmp1_are_regions_of_their_own(label):
    assert region_of(label) == label


def test_numbers_after_a_name_are_patches_of_it():
    assert [region_of(label) for label in ("VO-1", "PHC-2", "V3A-1", "V4v")] == [
        "VO", "PHC", "V3A", "V4",
    ]  # fmt: skip


def test_a_name_that_families_share_is_told_apart():
    named = distinct_names([("prf", "V1"), ("prf", "hV4"), ("kastner", "V1"), ("prf", "V1")])
    assert named == {
        ("prf", "V1"): "V1 (prf)",
        ("prf", "hV4"): "hV4",
        ("kastner", "V1"): "V1 (kastner)",
    }
