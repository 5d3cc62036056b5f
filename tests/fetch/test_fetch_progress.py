from __future__ import annotations

import pytest

from brainstruct.fetch import downloading
from brainstruct.fetch.downloading import Progress, amount


def test_what_came_earlier_counts_as_done_but_not_as_speed(monkeypatch):
    seconds = iter([0.0, 10.0, 20.0])
    monkeypatch.setattr(downloading.time, "monotonic", lambda: next(seconds))
    progress = Progress(3, 5_000_000, begun=1_000_000)
    progress.count(n_bytes=2_000_000)
    progress.count(files=1)
    assert progress.line() == "1 of 3 files, 3.0 MB of 5.0 MB, 200.0 kB/s, 0:00:10 left"
    progress.count(n_bytes=2_000_000)
    assert progress.line().endswith("0:00:00 left")


def test_before_anything_has_come():
    assert Progress(1, 10).line().endswith("0 B/s, unknown time left")


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (2e14, "200000.0 GB")],
)
def test_amounts(n_bytes, text):
    assert amount(n_bytes) == text
