from __future__ import annotations

import threading
import time

import pytest

from brainstruct.embedding.ahead import prefetch
from brainstruct.embedding.progress import Progress, duration


def test_order_is_kept():
    assert list(prefetch(lambda key: key * 2, range(20))) == [(key, key * 2) for key in range(20)]


def test_the_next_item_is_loaded_while_this_one_is_worked_on():
    loaded = [threading.Event() for _ in range(4)]

    def load(key):
        loaded[key].set()
        return threading.current_thread().name

    items = prefetch(load, range(4), ahead=2)
    _, thread = next(items)
    assert thread != threading.current_thread().name
    # Two are ahead of the first, the fourth is not asked for yet.
    assert loaded[1].wait(5)
    assert loaded[2].wait(5)
    assert not loaded[3].is_set()
    assert [key for key, _ in items] == [1, 2, 3]


def test_an_error_is_raised_at_its_item():
    def load(key):
        if key == 2:
            raise OSError("disk on fire")
        return key

    items = prefetch(load, range(5))
    assert next(items) == (0, 0)
    assert next(items) == (1, 1)
    with pytest.raises(OSError, match="disk on fire"):
        next(items)


def test_leaving_early_ends_the_thread():
    before = threading.active_count()
    items = prefetch(lambda key: key, range(100))
    next(items)
    items.close()
    assert threading.active_count() == before


def test_progress_counts_what_an_earlier_run_has_left_but_not_in_the_rate(monkeypatch):
    seconds = iter([0.0, 10.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    progress = Progress(total=1000, finished=500)
    progress.advance(50)
    line = progress.line()
    assert line.startswith("550 of 1000 stimuli, 5.0 per second, 0:01:30 left")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (59.6, "0:01:00"), (90061, "25:01:01"), (float("inf"), "unknown time")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
