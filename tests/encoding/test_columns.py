"""What a constant column is, for features, responses and predictions alike."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.columns import FEATURE_ROUNDING, batches, centre


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equal_values_are_constant_whatever_they_are(dtype):
    values = np.full((999, 4), [0.1, 0, -1e6 / 3, 1e-20], dtype=dtype)
    assert (centre(values)[1] == 0).all()


def test_the_last_digit_of_one_image_is_enough_to_vary():
    values = np.full((10_000, 2), 0.7, dtype=np.float32)
    values[3, 1] = np.nextafter(values[3, 1], np.float32(1))
    _, squares = centre(values)
    assert squares[0] == 0 < squares[1]
    # but not for a feature, which is a mean over tokens
    assert centre(values, FEATURE_ROUNDING)[1][1] == 0


def test_centred_values_and_their_squares_are_in_float64():
    values = np.random.default_rng(0).normal(100, 3, (50, 4)).astype(np.float32)
    centred, squares = centre(values)
    assert centred.dtype == squares.dtype == np.float64
    np.testing.assert_allclose(centred, values - values.astype(float).mean(0))
    np.testing.assert_allclose(squares, 50 * values.astype(float).var(0))


def test_batches_cover_everything_once():
    found = [number for part in batches(10, 4) for number in range(part.start, part.stop)]
    assert found == list(range(10))
