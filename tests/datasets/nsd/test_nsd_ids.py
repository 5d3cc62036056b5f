from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brainstruct.datasets.nsd import ids, numbers

PAIRS = {
    "73k": (ids.number_73k, ids.nsd_id_from_73k, numbers.N_IMAGES),
    "10k": (ids.number_10k, ids.position_from_10k, numbers.N_POSITIONS),
}
SHAPES = hnp.array_shapes(max_dims=3, max_side=5)


@pytest.mark.parametrize("pair", PAIRS)
@given(data=st.data())
def test_conversion_is_a_bijection_that_starts_at_one(pair: str, data: st.DataObject) -> None:
    to_number, from_number, size = PAIRS[pair]
    ours = data.draw(hnp.arrays(np.int64, SHAPES, elements=st.integers(0, size - 1)))
    numbers = to_number(ours)
    assert numbers.shape == ours.shape
    assert numbers.dtype == np.int64
    assert numbers.min() >= 1
    np.testing.assert_array_equal(from_number(numbers), ours)


@pytest.mark.parametrize("pair", PAIRS)
def test_ends_of_the_range_match_the_files(pair: str) -> None:
    to_number, from_number, size = PAIRS[pair]
    assert to_number([0, size - 1]).tolist() == [1, size]
    assert from_number([1, size]).tolist() == [0, size - 1]


@pytest.mark.parametrize("pair", PAIRS)
@given(data=st.data())
def test_values_outside_are_refused(pair: str, data: st.DataObject) -> None:
    to_number, from_number, size = PAIRS[pair]
    excess = data.draw(st.integers(0, 10**6))
    for bad in (-1 - excess, size + excess):
        with pytest.raises(ValueError, match=r"1 of 2 .* lie outside"):
            to_number([0, bad])
    for bad in (0 - excess, size + 1 + excess):
        with pytest.raises(ValueError, match=r"1 of 2 .* lie outside"):
            from_number([1, bad])


@given(trial=hnp.arrays(np.int64, SHAPES, elements=st.integers(0, numbers.N_TRIALS - 1)))
def test_session_and_row_count_through_the_files(trial: np.ndarray) -> None:
    session, row = ids.session_and_row(trial)
    assert session.min() >= 1
    assert session.max() <= numbers.N_SESSIONS
    assert row.min() >= 0
    assert row.max() < numbers.TRIALS_PER_SESSION
    np.testing.assert_array_equal((session - 1) * numbers.TRIALS_PER_SESSION + row, trial)


def test_last_trial_of_a_session_is_in_that_session() -> None:
    session, row = ids.session_and_row([0, 749, 750, 29_999])
    assert session.tolist() == [1, 1, 2, 40]
    assert row.tolist() == [0, 749, 0, 749]


def test_a_scalar_gives_a_scalar() -> None:
    assert ids.nsd_id_from_73k(46_003).shape == ()
    assert int(ids.nsd_id_from_73k(46_003)) == 46_002


@pytest.mark.parametrize("convert", [ids.number_73k, ids.trial_number, ids.session_and_row])
@pytest.mark.parametrize("bad", [1.0, [True], ["1"]])
def test_only_integers_are_identifiers(convert: Callable[[object], object], bad: object) -> None:
    with pytest.raises(TypeError, match="must be integers"):
        convert(bad)


def test_empty_arrays_pass() -> None:
    assert ids.number_73k([]).shape == (0,)


def test_numbers_of_trials_start_at_one() -> None:
    assert ids.trial_number([0, 29_999]).tolist() == [1, 30_000]
    for outside in (-1, 30_000):
        with pytest.raises(ValueError, match=r"1 of 2 trials lie outside 0\.\.29999"):
            ids.trial_number([0, outside])


def test_first_voxel_of_matlab_is_zero() -> None:
    given_ = [0.5, 1.0, 81.25, numbers.NO_COORDINATE]
    np.testing.assert_array_equal(ids.voxel_index(given_), [-0.5, 0.0, 80.25, np.nan])


def test_vertices_are_counted_from_zero():
    found = ids.vertex_from_number(np.array([1, 163842], np.float32))
    assert found.tolist() == [0, 163841]
    assert found.dtype == np.int64


def test_sessions_are_numbered_from_one() -> None:
    assert list(ids.session_numbers(3)) == [1, 2, 3]
    assert list(ids.session_numbers(0)) == []
    with pytest.raises(ValueError, match=r"0\.\.40"):
        ids.session_numbers(41)
