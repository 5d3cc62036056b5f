from __future__ import annotations

import pytest

from brainstruct.errors import InputError
from brainstruct.exports.names import bids_name, word, words


def test_labels_have_letters_and_digits_only():
    assert word("instructblip-random") == "instructblipRandom"
    assert word("llava-1-5") == "llava15"
    assert word("S1") == "S1"


def test_two_models_of_one_label_are_refused():
    assert words(["a-b", "ab-c"]) == {"a-b": "aB", "ab-c": "abC"}
    # File systems exist that do not tell aB from ab.
    with pytest.raises(InputError, match="'a-b' and 'ab' are both called"):
        words(["a-b", "ab"])


def test_entities_come_in_the_order_of_bids():
    name = bids_name("statmap", desc="x", stat="r", space="fsaverage", hemi="L", sub="01", den=None)
    assert name == "sub-01_hemi-L_space-fsaverage_stat-r_desc-x_statmap"
    with pytest.raises(ValueError, match="no label of desc"):
        bids_name("statmap", sub="01", desc="a-b")
