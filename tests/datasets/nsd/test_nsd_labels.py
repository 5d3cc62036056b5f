from __future__ import annotations

from pathlib import Path

import pytest

from brainstruct.brain.region_names import region_of
from brainstruct.datasets.nsd.labels import (
    DISTRIBUTED,
    LABELS,
    label_names,
    numbered,
    read_label_table,
    volume_cure,
)
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.errors import InputError

COUNTS = {
    "nsdgeneral": 1,
    "prf-visualrois": 7,
    "prf-eccrois": 5,
    "floc-bodies": 4,
    "floc-faces": 5,
    "floc-places": 3,
    "floc-words": 5,
    "streams": 7,
    "Kastner2015": 25,
}


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_families_have_as_many_labels_as_the_authors_assert() -> None:
    assert {family: len(names) for family, names in LABELS.items()} == COUNTS
    for names in LABELS.values():
        assert list(names) == list(range(1, len(names) + 1))
        assert len(set(names.values())) == len(names)


def test_a_table_of_labels_is_read(tmp_path: Path) -> None:
    text = "0 Unknown\n1 OPA\n2 PPA\\tparahippocampal\n3  RSC\tnotes\n\n"
    path = put(tmp_path / "floc-places.mgz.ctab", text)
    assert read_label_table(path) == {1: "OPA", 2: "PPA", 3: "RSC"}


@pytest.mark.parametrize("text", ["1\n", "OPA 1\n", "1 OPA\n1 PPA\n", "1 OPA\n2 OPA\n", "-1 x\n"])
def test_a_malformed_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="line"):
        read_label_table(put(tmp_path / "x.ctab", text))


def test_a_missing_or_binary_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_label_table(tmp_path / "none.ctab")
    (tmp_path / "binary.ctab").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no table of labels"):
        read_label_table(tmp_path / "binary.ctab")


def test_without_a_table_names_are_built_in(tmp_path: Path) -> None:
    assert label_names(Layout(tmp_path), "subj01", "floc-faces") == LABELS["floc-faces"]


def test_a_table_on_disk_wins_and_the_subjects_own_first(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    own, average = layout.label_tables("subj01", "HCP_MMP1")
    put(average, "0 Unknown\n1 V1\n")
    assert label_names(layout, "subj01", "HCP_MMP1") == {1: "V1"}
    put(own, "0 Unknown\n1 V1\n2 MST\n")
    assert label_names(layout, "subj01", "HCP_MMP1") == {1: "V1", 2: "MST"}


def test_a_table_that_renumbers_known_labels_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    put(layout.label_tables("subj01", "floc-places")[0], "1 PPA\n2 OPA\n3 RSC\n")
    with pytest.raises(InputError, match=r"2 labels .*PPA is 1 instead of 2"):
        label_names(layout, "subj01", "floc-places")


def test_a_family_that_nobody_names(tmp_path: Path) -> None:
    assert label_names(Layout(tmp_path), "subj01", "MTL") is None
    names = numbered("MTL", [1, 4])
    assert names == {1: "MTL_1", 4: "MTL_4"}
    assert {region_of(name) for name in names.values()} == set(names.values())


@pytest.mark.parametrize("family", ["MTL", "my-mask", "floc-faces", "flocfaces"])
def test_no_cure_names_a_download_of_what_may_not_exist(tmp_path: Path, family: str) -> None:
    cure = volume_cure(tmp_path / f"{family}.nii.gz")
    assert ("etch" in cure) == (family in DISTRIBUTED)
    assert ("Did you mean 'floc-faces'?" in cure) == (family == "flocfaces")
    table = put(tmp_path / f"{family}.mgz.ctab", "1 a\n1 b\n")
    with pytest.raises(InputError) as caught:
        read_label_table(table)
    assert "ownload" not in caught.value.cure
