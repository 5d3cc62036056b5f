from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.errors import InputError
from brainstruct.responses.table import (
    collect_responses,
    escape_line,
    prompt_of,
    read_responses,
    unescape_line,
)
from brainstruct.store.arrays import write_dataset
from brainstruct.store.tables import write_table
from damage import change_text

SAID = {
    9: "two\tdogs\nand a \\cat\\n",
    4: "",
    70: "n/a",
    3: '"quoted", 12',
    5: "NaN",
    6: "12",
    8: "naïve 犬 \N{REPLACEMENT CHARACTER}",
}


def write_block(path, ids, share=None, **provenance):
    n = len(ids)
    said = [SAID[stimulus] for stimulus in ids]
    block = xr.Dataset(
        {
            "embedding": (("layer", "stimulus", "feature"), np.zeros((2, n, 3), np.float16)),
            "response": ("stimulus", np.array(said, dtype=object)),
            "n_tokens": ("stimulus", np.array([len(text.split()) for text in said])),
            "truncated": ("stimulus", np.array(ids) > 8),
        },
        coords={"layer": [0, 1], "stimulus": ids, "feature": range(3)},
    )
    if share is not None:
        block["thinking_share"] = "stimulus", np.array(share, np.float32)
    write_dataset(block, path, provenance=provenance)
    return path


@pytest.fixture
def blocks(tmp_path):
    return [
        write_block(tmp_path / "a.nc", [9, 4, 70]),
        write_block(tmp_path / "b.nc", [3, 8, 5, 6]),
    ]


def test_every_response_survives_the_way_to_disk_and_back(blocks, tmp_path):
    path = tmp_path / "responses.tsv"
    write_table(collect_responses(blocks, "nsd_id"), path)
    found = read_responses(path, "nsd_id")
    assert found.columns.tolist() == ["nsd_id", "response", "n_tokens", "truncated"]
    assert dict(zip(found["nsd_id"], found["response"], strict=True)) == SAID
    assert found["nsd_id"].tolist() == sorted(SAID)
    assert found["n_tokens"].tolist() == [len(SAID[stimulus].split()) for stimulus in sorted(SAID)]
    assert found["truncated"].tolist() == [stimulus > 8 for stimulus in sorted(SAID)]
    assert found["truncated"].dtype == bool
    # One line per image, for tools that know nothing of quotes.
    assert len(path.read_text().splitlines()) == 1 + len(SAID)


def test_how_much_was_thinking_is_told_of_those_who_think(tmp_path):
    ids, shares = [[9, 4], [3]], [[0.25, 1.0], [0.0]]
    blocks = [
        write_block(tmp_path / f"{one[0]}.nc", one, share)
        for one, share in zip(ids, shares, strict=True)
    ]
    write_table(collect_responses(blocks, "nsd_id"), tmp_path / "responses.tsv")
    found = read_responses(tmp_path / "responses.tsv", "nsd_id").set_index("nsd_id")
    assert found["thinking_share"].to_dict() == {3: 0.0, 4: 1.0, 9: 0.25}
    assert found.loc[4, "response"] == SAID[4]


def test_the_prompt_is_the_blocks_own(blocks, tmp_path):
    told = write_block(tmp_path / "c.nc", [3], prompt="USER: <image>\nSay")
    assert prompt_of(told) == "USER: <image>\nSay"
    assert prompt_of(blocks[0]) == ""  # of before prompts were kept
    assert prompt_of(write_block(tmp_path / "d.nc", [3], prompt=None)) == ""


def test_an_image_in_two_blocks_is_refused(blocks, tmp_path):
    again = write_block(tmp_path / "c.nc", [4])
    with pytest.raises(InputError, match=r"1 images twice \(first: nsd_id 4\)"):
        collect_responses([*blocks, again], "nsd_id")


def test_a_missing_block_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.nc: does not exist"):
        collect_responses([tmp_path / "gone.nc"], "nsd_id")


def test_a_response_that_was_changed_is_not_passed_on(blocks):
    change_text(blocks[1], "naïve", "naäve")
    with pytest.raises(InputError, match=r"b\.nc: is damaged"):
        collect_responses(blocks, "nsd_id")


@pytest.mark.parametrize("text", ["", "\\", "\\n", "a\\\tb\r\n", "\\\\t", "n/a", "n\\/a"])
def test_escapes_are_undone(text):
    assert unescape_line(escape_line(text)) == text
    assert not set("\t\n\r") & set(escape_line(text))
