from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from toy import ANNA, BOTH, Toy, ToyReader

from brainstruct.datasets.lists import (
    block_list,
    image_list,
    read_block,
    read_image_list,
)
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.errors import InputError
from brainstruct.store.tables import write_table

SHOWN = [[12, 3, 29, 3, 10], [10, 7, 12, 12, 3]]
COLUMNS = ["toy_id", "split", "test_set", "repetitions", "trials", "source"]


@pytest.fixture
def images() -> pd.DataFrame:
    return image_list(Toy(), ToyReader(SHOWN), "anna")


def test_every_trial_is_listed_once(images):
    shown = np.concatenate(SHOWN)
    assert list(images.columns) == COLUMNS
    assert images["toy_id"].is_monotonic_increasing
    assert dict(zip(images["toy_id"], images["repetitions"], strict=True)) == Counter(shown)
    seen = np.full(shown.size, -1)
    for stimulus, trials in zip(images["toy_id"], images["trials"], strict=True):
        seen[[int(trial) for trial in trials.split(",")]] = stimulus
    np.testing.assert_array_equal(seen, shown)


def test_images_of_a_test_set_are_tests_and_the_others_training(images):
    known = images.fillna({"test_set": ""})
    roles = {row.toy_id: (row.split, row.test_set) for row in known.itertuples()}
    assert roles == {
        3: ("test", "both"), 7: ("test", "both"),
        10: ("train", ""), 12: ("train", ""), 29: ("train", ""),
    }  # fmt: skip


def test_the_data_set_s_own_columns_are_kept(images):
    assert images["source"].tolist() == [f"photograph {n}" for n in (3, 7, 10, 12, 29)]


def test_a_list_survives_the_disk(images, tmp_path):
    write_table(images, tmp_path / "anna.tsv")
    again = read_image_list(tmp_path / "anna.tsv", Toy())
    expected = images.rename(columns={"toy_id": "stimulus"})
    expected["test_set"] = ["both", "both", "", "", ""]
    pd.testing.assert_frame_equal(again, expected, check_dtype=False)
    assert again["trials"].tolist() == ["1,3,9", "6", "4,5", "0,7,8", "2"]


def test_a_list_without_any_test_set_survives_too(tmp_path):
    images = image_list(Toy(), ToyReader([[10, 11]]), "anna")
    write_table(images, tmp_path / "anna.tsv")
    again = read_image_list(tmp_path / "anna.tsv", Toy())
    assert again["test_set"].tolist() == ["", ""]
    assert set(again["split"]) == {"train"}


def test_a_list_of_other_columns_is_refused(images, tmp_path):
    write_table(images, tmp_path / "anna.tsv")
    with pytest.raises(InputError, match="nsd_id"):
        read_image_list(tmp_path / "anna.tsv", Nsd(nsd_root="root"))
    write_table(images.drop(columns="test_set"), tmp_path / "old.tsv")
    with pytest.raises(InputError, match="test_set"):
        read_image_list(tmp_path / "old.tsv", Toy())
    with pytest.raises(InputError, match=r"gone\.tsv"):
        read_block(tmp_path / "gone.tsv", Toy())


def test_blocks_hold_every_shown_image_once():
    reader = ToyReader(SHOWN)
    blocks = [block_list(Toy(), reader, "anna", index, images=10) for index in (0, 1)]
    blocks.append(block_list(Toy(), reader, "both", 0, images=10))
    assert [block["toy_id"].tolist() for block in blocks] == [[10, 12], [29], [3, 7]]
    assert all(list(block.columns) == ["toy_id", "source"] for block in blocks)


def test_more_trials_never_move_an_image_to_another_block():
    few, many = (
        set(block_list(Toy(), ToyReader(shown), "anna", 0, images=10)["toy_id"])
        for shown in (SHOWN[:1], [*SHOWN, list(ANNA)])
    )
    assert few < many == set(ANNA[:10])


def test_a_block_survives_the_disk(tmp_path):
    block = block_list(Toy(), ToyReader(SHOWN), "both", 0, images=len(BOTH))
    write_table(block, tmp_path / "block.tsv")
    again = read_block(tmp_path / "block.tsv", Toy())
    pd.testing.assert_frame_equal(
        again, block.rename(columns={"toy_id": "stimulus"}).reset_index(drop=True)
    )


def test_an_empty_block_is_an_error():
    with pytest.raises(InputError, match="block 1 of both holds no image that was shown"):
        block_list(Toy(), ToyReader(SHOWN), "both", 1, images=8)
