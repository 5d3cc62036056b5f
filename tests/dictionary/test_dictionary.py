"""The dictionary itself: nothing misspelt, nothing that no table has, the first path counts."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from brainstruct import dictionary
from brainstruct.dictionary.describe import describe

CONTENT = tomllib.loads((Path(dictionary.__file__).parent / "columns.toml").read_text())


def test_every_group_belongs_to_a_table_and_every_unit_to_a_column():
    used = {group for groups in CONTENT["tables"].values() for group in groups}
    assert used | {"common"} == set(CONTENT["columns"])
    units = {one.get("Units") for group in CONTENT["columns"].values() for one in group.values()}
    assert set(CONTENT["units"]) <= units


@pytest.mark.parametrize("group", CONTENT["columns"])
def test_entries_are_those_of_a_data_dictionary(group):
    for name, entry in CONTENT["columns"][group].items():
        assert set(entry) <= {"Description", "Units", "Levels"}, name
        assert entry["Description"].endswith((".", ";")), name
        assert ("{" in name) == ("{}" in entry["Description"]), name
        for text in (entry.get("Units", "x"), *entry.get("Levels", {}).values()):
            assert isinstance(text, str) and text, name


def test_units_braces_and_names_of_the_study_are_written_out():
    told = describe("tables/alignment_subjects.tsv", ["r_ncsnr_sem", "alignment_mean"])
    assert told == {
        "r_ncsnr_sem": {
            "Description": "Standard error over subjects of r_ncsnr; n/a with one subject.",
            "Units": "correlation",
        },
        "alignment_mean": {
            "Description": "Mean of alignment (alignment.tsv) over subjects.",
            "Units": "arbitrary (r divided by the noise ceiling: 1 is as good as the noise allows)",
        },
    }
    told = describe("tables/partition/subj01_matrix.tsv", ["instruction", "IC"])
    assert told["IC"]["Units"] == "share of variance"
    assert told["instruction"] == {"Description": "Key of an instruction."}


def test_levels_of_the_study_come_beside_those_of_the_dictionary():
    levels = {"model": {"vit": "ViT-H"}, "instruction": {"IC": "Describe it."}}
    told = describe("tables/alignment.tsv", ["model", "instruction", "r"], levels)
    assert told["model"]["Levels"] == {
        "all": "the row compares models with each other",
        "vit": "ViT-H",
    }
    assert set(told["instruction"]["Levels"]) == {"none", "mean", "IC"}
    assert "Levels" not in told["r"]
    again = describe("tables/alignment.tsv", ["model"])["model"]["Levels"]
    assert set(again) == {"all"}, "what one study named, another does not hear of"


def test_the_first_path_that_fits_counts():
    assert describe("stimuli/subj01.tsv", ["split"])
    with pytest.raises(LookupError, match="column split of stimuli/blocks/1"):
        describe("stimuli/blocks/1.tsv", ["split"])


def test_what_is_not_known_is_named():
    with pytest.raises(LookupError, match=r"tables/x\.tsv is no kind of table"):
        describe("tables/x.tsv", [])
    with pytest.raises(LookupError, match=r"column bogus of tables/alignment\.tsv"):
        describe("tables/alignment.tsv", ["subject", "bogus"])
