"""The table of all types in docs/models.md says what becomes of each."""

from __future__ import annotations

import os

import pytest
from model_types import KINDS
from types_table import FOUND, REFUSED, THROUGH, TYPES, outcome_of, row, written

from brainstruct.models.kinds import refusal_of

FULL = os.environ.get("BRAINSTRUCT_TYPES_FULL") == "1"
# Where nothing is built, and three that are.
OFTEN = [name for name in TYPES if name in KINDS or refusal_of(name)]
OFTEN += ["blip-2", "got_ocr2", "nemotron_h_omni"]


@pytest.mark.parametrize("name", TYPES if FULL else OFTEN)
def test_the_table_says_what_becomes_of_a_type(name):
    assert row(name, outcome_of(name)) in written()


def test_the_table_is_complete():
    cells = [line.split(" | ") for line in written().splitlines()[2:]]
    found = {cell[0].strip("| "): cell[1] for cell in cells}
    assert list(found) == TYPES
    assert set(found.values()) == {THROUGH, FOUND, REFUSED}
    assert sum(said != REFUSED for said in found.values()) >= 70
    assert sum(said == THROUGH for said in found.values()) >= 40
