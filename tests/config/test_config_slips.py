"""Slips that people make in ``config/local.yaml``: a line each, with setting, place and cure."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from brainstruct.config.files import study_of
from brainstruct.errors import InputError

SLIPS = yaml.safe_load(Path(__file__).with_name("slips.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip["id"])
def test_a_slip_is_a_line_with_setting_place_and_cure(tmp_path, monkeypatch, slip):
    monkeypatch.delenv("SURELY_NOT_SET", raising=False)
    path = tmp_path / "local.yaml"
    path.write_bytes(slip["text"].encode(slip.get("encoding", "utf-8")))
    with pytest.raises(InputError) as refusal:
        study_of([path])
    said = str(refusal.value)
    assert [name for name in slip["names"] if name not in said] == [], said
    assert (said.count("\n  - ") or 1) == slip.get("lines", 1), said
    assert "config.yaml, line" not in said, "it stands in the user's file"


def test_slips_have_names_of_their_own():
    assert max(Counter(slip["id"] for slip in SLIPS).values()) == 1
