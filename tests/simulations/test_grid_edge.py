"""A grid of penalties that ends too early is said in numbers, and only where something is lost."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.grid_edge import beyond_the_grid
from brainstruct.encoding.ridge import fit_ridge

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
    found = beyond_the_grid(*data, early.alpha, early.at_edge)
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
    found = beyond_the_grid(*data, fit.alpha, fit.at_edge)
    assert found.n_voxels < 0.02 * VOXELS
    assert not found.matters(VOXELS)


def test_without_a_voxel_at_an_end_there_is_nothing_to_gain():
    data = study(0.5)
    fit = fit_ridge(*data, np.logspace(-3, 9, 13), backend="numpy")
    assert beyond_the_grid(*data, fit.alpha, np.zeros(VOXELS, np.int8)) == (0, 0)
