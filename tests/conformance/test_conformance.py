"""The stages that cost compute what their numbers stand for; a failure says what to do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import vectors
from reduction import differences, reduce
from seeded import NUMBERS, UNITS

STORED = vectors.read()


@cache
def found(name: str) -> vectors.Vector:
    return vectors.compute(name)


@pytest.mark.parametrize("name", UNITS)
def test_a_stage_computes_what_its_number_stands_for(name):
    if problem := vectors.fault(name, STORED.get(name), found(name)):
        pytest.fail(problem, pytrace=False)


def test_no_number_rose_for_nothing():
    moved = {
        number
        for vector in STORED.values()
        for number, before in vector.numbers.items()
        if NUMBERS.get(number) != before
    }
    units = [name for name, unit in UNITS.items() if moved & {*unit.numbers}]
    if problems := vectors.needless(STORED, {name: found(name) for name in units}):
        pytest.fail("\n".join(problems), pytrace=False)


def test_every_number_has_a_vector():
    assert {number for unit in UNITS.values() for number in unit.numbers} == NUMBERS.keys()
    assert STORED.keys() == UNITS.keys()


VECTOR = vectors.Vector(
    {"fit_ridge": 1},
    {"torch": "2.0", "numpy": "2.1"},
    {"fit r": {"type": "float32", "digest": "a", "sums": [0.1, 0.2, 0.3, -1.0, 2.0]}},
)


def changed(vector: vectors.Vector, by: float = 0.01, **more) -> vectors.Vector:
    reduced = vector.outputs["fit r"]
    sums = [one + by for one in reduced["sums"]]
    return replace(vector, outputs={"fit r": reduced | {"sums": sums}}, **more)


def test_a_change_is_measured_and_the_way_on_is_named():
    problem = vectors.fault("fit_ridge", VECTOR, changed(VECTOR))
    assert "fit r changed by 0.005 of its largest value (rounding: up to 0.0001)" in problem
    assert "raise the number of fit_ridge (workflow_scripts/brainstruct/workflow/" in problem
    assert "run make conformance-vectors, and say in CHANGELOG.md" in problem
    assert "versions" not in problem


def test_rounding_is_no_change():
    assert vectors.fault("fit_ridge", VECTOR, changed(VECTOR, 1e-5)) == ""


def test_an_upgrade_that_changes_results_is_named_and_no_other():
    upgraded = {"torch": "3.0", "numpy": "2.1"}
    problem = vectors.fault("fit_ridge", VECTOR, changed(VECTOR, versions=upgraded))
    assert "They were written under other versions: torch 2.0 -> 3.0." in problem
    assert vectors.fault("fit_ridge", VECTOR, replace(VECTOR, versions=upgraded)) == ""


def test_a_number_rises_with_outputs_and_not_without(monkeypatch):
    stored = {"fit_ridge": VECTOR}
    assert vectors.refused(stored, {"fit_ridge": changed(VECTOR)})
    risen = replace(VECTOR, numbers={"fit_ridge": 2})
    monkeypatch.setitem(vectors.NUMBERS, "fit_ridge", 2)
    (problem,) = vectors.needless(stored, {"fit_ridge": risen})
    assert "of fit_ridge (workflow_scripts/brainstruct/workflow/formats.py) is 2" in problem
    assert "put it back" in problem
    both = {"fit_ridge": changed(risen)}
    assert not vectors.needless(stored, both)
    assert not vectors.refused(stored, both)
    assert "A number rose: write them anew" in vectors.fault("fit_ridge", VECTOR, both["fit_ridge"])


def test_a_number_of_several_units_rises_with_one_of_them():
    one = {"a": replace(VECTOR, numbers={"embed": 0}), "b": replace(VECTOR, numbers={"embed": 0})}
    now = {"a": replace(VECTOR, numbers={"embed": 1}), "b": changed(VECTOR, numbers={"embed": 1})}
    assert not vectors.needless(one, now)
    assert vectors.needless(one, {"a": now["a"]})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([1, 2], [1, 3], "x changed"),
        ([1.0, 2.0], [2.0, 1.0], "x changed by"),
        ([1.0, np.nan], [np.nan, 1.0], "x changed its shape, or where it has numbers"),
        ([1.0, np.inf], [1.0, -np.inf], "x changed its shape, or where it has numbers"),
        ([[1.0], [2.0]], [[1.0, 2.0]], "x changed its shape, or where it has numbers"),
        (["a", "b"], ["a", "bc"], "x changed"),
        ([1, 2], [1.0, 2.0], "x changed its type"),
        ([0.0, 0.0], [0.0, 1e-9], "x changed by"),
    ],
)
def test_a_reduction_keeps_what_matters(before, after, said):
    first, second = ({"x": reduce("x", np.array(values))} for values in (before, after))
    assert differences(first, first) == []
    (fault,) = differences(first, second)
    assert fault.startswith(said)


def test_a_reduction_forgets_rounding():
    values = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    first, second = ({"x": reduce("x", one)} for one in (values, values * np.float32(1 + 3e-6)))
    assert differences(first, second) == []


def test_outputs_that_come_and_go_are_named():
    assert sorted(differences({"a": {"digest": "1"}}, {"b": {"digest": "1"}})) == [
        "a is gone",
        "b is new",
    ]
