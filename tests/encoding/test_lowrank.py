"""The spectrum is cut where that saves work, and bands give back all functions."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.solver.lowrank import choose_nodes, split_spectrum


@pytest.mark.parametrize("decades", [0, 3, 8])
def test_bands_cover_the_spectrum_and_cost_less_than_one(decades):
    eigenvalues = np.logspace(-decades / 2, decades / 2, 600)
    functions = eigenvalues[:, None] / (eigenvalues[:, None] + np.logspace(-4, 4, 30))
    bands = split_spectrum(eigenvalues, functions, 1e-6)
    ends = [0, *(band.components.stop for band in bands)]
    assert [band.components.start for band in bands] == ends[:-1]
    assert ends[-1] == 600
    for band in bands:
        error = functions[band.components] - band.basis @ band.mixing
        assert np.sqrt((error**2).mean(0)).max() < 1e-6
    assert ends[1:] == ([600] if decades == 0 else [150, 300, 450, 600])
    assert max(band.basis.shape[1] for band in bands) == {0: 1, 3: 7, 8: 11}[decades]


@pytest.mark.parametrize(("count", "ends"), [(30, [30]), (40, [20, 40])])
def test_a_spectrum_no_longer_than_penalties_are_many_is_not_cut(count, ends):
    """Two kinds of components, for which one function each is enough."""
    eigenvalues = np.repeat([1e-2, 1e2], count // 2)
    functions = eigenvalues[:, None] / (eigenvalues[:, None] + np.logspace(-4, 4, 30))
    bands = split_spectrum(eigenvalues, functions, 1e-6)
    assert [band.components.stop for band in bands] == ends


@pytest.mark.parametrize("count", [1, 3])
def test_of_a_few_penalties_each_is_worked_out(count):
    alphas = np.linspace(1, 1.0001, count)
    few = choose_nodes(alphas, 100.0, 1.0, 1e-3)
    assert (few.index.tolist(), few.exact) == (list(range(count)), True)
    np.testing.assert_array_equal(few.weights, np.eye(count))


def test_four_alike_are_worked_out_as_one():
    four = choose_nodes(np.linspace(1, 1.0001, 4), 100.0, 1.0, 1e-3)
    assert (len(four.index), four.exact) == (1, False)
    np.testing.assert_allclose(four.weights, np.ones((1, 4)), atol=1e-3)
