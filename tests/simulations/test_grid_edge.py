"""A grid of penalties that ends too early is said in numbers, and only where something is lost."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.grid_edge import beyond_the_grid
from brainstruct.encoding.selected import ridge_predict
from solvers import fit_ridge

TRAIN, TEST, FEATURES, VOXELS = 400, 200, 120, 300


def study(share: float):
    """Features of a falling spectrum; voxels with a share of variance in them, or none."""
    random = np.random.default_rng(3)
    spectrum = np.logspace(0, -1.5, FEATURES)
    left, _, right = np.linalg.svd(random.standard_normal((TRAIN + TEST, FEATURES)), False)
    X = (left * spectrum @ right).astype(np.float32)
    signal = left @ (spectrum[:, None] * random.standard_normal((FEATURES, VOXELS)))
    signal *= np.sqrt(share) / signal.std(0)
    signal[:, ::3] = 0
    Y = (signal + np.sqrt(1 - share) * random.standard_normal(signal.shape)).astype(np.float32)
    return X[:TRAIN], Y[:TRAIN], X[TRAIN:], Y[TRAIN:]


@pytest.mark.parametrize(
    ("share", "grid", "end"),
    [
        (0.2, np.logspace(0, 1, 5), 1),
        (0.2, np.logspace(-3, -1, 5), 1),
        (0.97, np.logspace(3, 6, 5), -1),
    ],
    ids=["too weak", "so weak that the mean is better", "too strong"],
)
def test_what_could_be_gained_is_what_a_wide_grid_gains(share, grid, end):
    data = study(share)
    early = fit_ridge(*data, grid, backend="numpy")
    wide = fit_ridge(*data, np.logspace(-3, 9, 49), backend="numpy")
    found = early.early
    signal = np.arange(VOXELS) % 3 != 0
    assert (early.at_edge[signal] == end).mean() > 0.8
    assert found.n_voxels == pytest.approx(signal.sum(), rel=0.2)
    truth = (wide.r - early.r)[signal].mean()
    assert truth > 0.01
    assert found.gain == pytest.approx(truth, rel=0.35)
    assert found.matters(VOXELS)


def test_silent_and_weak_voxels_at_the_largest_penalty_are_no_reason_to_warn():
    """Most of them choose it: the mean is the best prediction there is, or nearly."""
    data = study(0.03)
    fit = fit_ridge(*data, np.logspace(0, 6, 25), backend="numpy")
    assert (fit.at_edge == 1).mean() > 0.3
    assert fit.early.n_voxels < 0.02 * VOXELS
    assert not fit.early.matters(VOXELS)


def test_without_a_voxel_at_an_end_there_is_nothing_to_gain():
    *_, Y_test = study(0.5)
    alpha, nowhere = np.ones(VOXELS, np.float32), np.zeros(VOXELS, np.int8)
    assert beyond_the_grid(pytest.fail, Y_test, alpha, nowhere) == (0, 0)


@pytest.mark.parametrize("shape", [(TRAIN, FEATURES), (FEATURES, TRAIN)], ids=["primal", "dual"])
def test_every_solver_says_the_same_of_what_lies_beyond(shape):
    """They refit by means of their own, which another way of solving the system holds together."""
    random = np.random.default_rng(4)
    X = random.standard_normal((shape[0] + 50, shape[1])).astype(np.float32)
    Y = X @ random.standard_normal((shape[1], 40)) + 3 * random.standard_normal((len(X), 40)) + 2
    data = X[: shape[0]], Y[: shape[0]].astype(np.float32), X[shape[0] :], Y[shape[0] :]
    grid = [100.0, 1e5]
    fits = [fit_ridge(*data, grid, backend=name) for name in ("numpy", "torch")]
    fits.append(fit_ridge(*data, grid, solver="himalaya"))
    alpha, edge = fits[0].alpha, fits[0].at_edge

    def again(voxels, alphas):
        return ridge_predict(data[0], data[1][:, voxels], data[2], alphas)

    expected = beyond_the_grid(again, data[3], alpha, edge)
    assert expected.gain > 1e-3
    for found in fits:
        np.testing.assert_allclose(found.alpha, alpha, rtol=1e-5)
        assert found.early.n_voxels == expected.n_voxels
        assert found.early.gain == pytest.approx(expected.gain, abs=1e-5)
