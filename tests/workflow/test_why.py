"""Why jobs run again is said in the words of the configuration."""

from __future__ import annotations

import pytest

from brainstruct.workflow.why import changes


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({"encoding": {"folds": 5}}, {"encoding": {"folds": 4}}, ["encoding.folds was 5, is 4"]),
        ({"seed": 1, "code": "a 1"}, {"seed": 2, "code": "a 2"},
         ["seed was 1, is 2", "code was a 1, is a 2"]),
        ({"texts": {"IC": "Say", "SR": "x"}}, {"texts": {"IC": "Tell"}},
         ["texts.IC was Say, is Tell", "texts.SR was x, is gone"]),
        ({}, {"contents": {"data.nsd_root/a": "1"}}, ["contents is new: {'data.nsd_root/a': '1'}"]),
        ({"layers": [1, 2]}, {"layers": (1, 2)}, ["layers was [1, 2], is (1, 2)"]),
        ({"layers": [1, 2]}, {"layers": [1, 2]}, []),
    ],
)  # fmt: skip
def test_the_deepest_part_that_differs_is_named(before, now, said):
    assert changes(before, now) == said


def test_long_values_are_cut():
    (line,) = changes({"a": "x" * 500}, {"a": "y"})
    assert len(line) < 100
