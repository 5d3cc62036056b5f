from __future__ import annotations

from functools import partial

import pandas as pd
import pytest
from bars import bars_of
from matplotlib.figure import Figure
from saving import saved

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.style import model_colours

TABLE = pd.DataFrame({"subject": ["subj01"], "model": ["vit-h"], "roi": ["V1"], "value": [0.5]})
draw_roi_bars = partial(bars_of, colours=model_colours(["vit-h"]))


def test_same_drawing_same_bytes(tmp_path):
    first = saved(draw_roi_bars(TABLE), tmp_path / "a")
    second = saved(draw_roi_bars(TABLE), tmp_path / "b")
    for suffix in ("svg", "png", "tsv"):
        assert first[suffix].read_bytes() == second[suffix].read_bytes()


def test_three_files_under_one_name_with_a_dot(tmp_path):
    saved(draw_roi_bars(TABLE), tmp_path / "new" / "subj01_model-1.5")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "subj01_model-1.5.png",
        "subj01_model-1.5.svg",
        "subj01_model-1.5.tsv",
    ]


def test_no_file_carries_a_date(tmp_path):
    paths = saved(draw_roi_bars(TABLE), tmp_path / "a")
    assert "<dc:date>" not in paths["svg"].read_text()
    assert b"tIME" not in paths["png"].read_bytes()


def test_a_failed_save_leaves_what_was_there(tmp_path, monkeypatch):
    drawing = draw_roi_bars(TABLE)
    paths = saved(drawing, tmp_path / "a")
    before = {suffix: path.read_bytes() for suffix, path in paths.items()}

    def fail(self, target, **options):
        target.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        saved(Drawing(drawing.figure, TABLE), tmp_path / "a")
    assert {suffix: path.read_bytes() for suffix, path in paths.items()} == before
    assert len(list(tmp_path.iterdir())) == 3
