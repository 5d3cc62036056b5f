"""Predictions at the layer that each voxel selects."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.scores import pearson
from brainstruct.encoding.selected import (
    BestPrediction,
    predict_selected,
    prediction_dataset,
    ridge_predict,
)
from solvers import fit_ridge


@pytest.mark.parametrize("n_features", [6, 90])
def test_ridge_with_known_penalties_solves_the_normal_equations(n_features):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, n_features)).astype(np.float32) * 3 + 1
    Y = rng.standard_normal((60, 5)).astype(np.float32) + 2
    alpha = np.array([1, 10, 10, 1000, 1], np.float32)
    found = ridge_predict(X[:60], Y, X[60:], alpha)
    A, T = ((part - X[:60].mean(0)) / X[:60].std(0) for part in (X[:60], X[60:]))
    for voxel in range(5):
        y = Y[:, voxel] - Y[:, voxel].mean()
        weights = np.linalg.solve(A.T @ A + alpha[voxel] * np.eye(n_features), A.T @ y)
        np.testing.assert_allclose(found[:, voxel], T @ weights + Y[:, voxel].mean(), atol=2e-4)


@pytest.mark.parametrize("shape", [(20, 2000), (2000, 20)])
def test_the_smaller_system_is_solved(shape):
    """The larger one alone would hold 32 MB."""
    X = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    tracemalloc.start()
    try:
        ridge_predict(X, X[:, :1], X[:5], np.ones(1, np.float32))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4e6


def test_first_of_equals_is_kept_and_missing_scores_lose():
    best = BestPrediction(1, 3)
    for layer, cv in ((2, [0.1, np.nan, 0.3]), (5, [0.1, -9, 0.4]), (6, [np.nan, -9, 0.2])):
        best.offer(layer, np.full((1, 3), layer, np.float32), np.array(cv, np.float32))
    assert best.layer.tolist() == [2, 5, 5]
    assert best.prediction.tolist() == [[2, 5, 5]]


def test_stored_predictions_keep_their_digits():
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((50, 4)).astype(np.float32) * 1e-2
    best = BestPrediction(50, 4)
    best.offer(0, signal + 100, np.zeros(4, np.float32))
    stored = prediction_dataset(best, np.full(4, 100.0), np.arange(50), np.arange(4))
    np.testing.assert_allclose(stored["prediction"], signal, atol=2e-5)
    np.testing.assert_allclose(stored["intercept"], 100)


@pytest.mark.parametrize("n_features", [20, 120])
def test_predictions_beside_one_component_that_carries_nearly_all_the_variance(n_features):
    rng = np.random.default_rng(0)
    own = rng.standard_normal((100, n_features))
    X = (3e3 * rng.standard_normal((100, 1)) + own).astype(np.float32)
    Y = (own @ rng.standard_normal((n_features, 3))).astype(np.float32)
    found = ridge_predict(X[:80], Y[:80], X[80:], np.full(3, 1e-5, np.float32))
    A, T = ((part - X[:80].mean(0, dtype=float)) / X[:80].std(0, dtype=float)
            for part in (X[:80], X[80:]))  # fmt: skip
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    weights = Vt.T @ ((s / (s**2 + 1e-5))[:, None] * (U.T @ (Y[:80] - Y[:80].mean(0))))
    expected = T @ weights + Y[:80].mean(0)
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error < 0.02, error


def test_selected_predictions_are_those_of_the_fits():
    rng = np.random.default_rng(1)
    layers = {4: rng.standard_normal((150, 12)), 9: rng.standard_normal((150, 12))}
    layers = {layer: X.astype(np.float32) for layer, X in layers.items()}
    source = np.arange(20) % 2
    Y = np.stack([layers[(4, 9)[s]] @ rng.standard_normal(12) for s in source], axis=1)
    Y = (Y + rng.standard_normal(Y.shape)).astype(np.float32)
    train = np.arange(150) < 110
    fits = [
        fit_ridge(X[train], Y[train], X[~train], Y[~train], np.logspace(0, 3, 4))
        for X in layers.values()
    ]
    scores = xr.Dataset(
        {
            name: (("layer", "voxel"), np.stack([getattr(fit, name) for fit in fits]))
            for name in ("cv_score", "alpha", "r")
        },
        coords={"layer": list(layers)},
    )
    found = predict_selected(scores, Y, train, layers.__getitem__)
    best = BestPrediction(40, 20)
    for layer, fit in zip(layers, fits, strict=True):
        best.offer(layer, fit.prediction, fit.cv_score)
    np.testing.assert_array_equal(best.layer, found.layer)
    np.testing.assert_allclose(best.prediction, found.prediction, atol=1e-4)
    np.testing.assert_allclose(best.layer_mean, found.layer_mean, atol=1e-3)
    assert found.layer.tolist() == [(4, 9)[s] for s in source]
    expected = scores["r"].values[source, np.arange(20)]
    np.testing.assert_allclose(pearson(Y[~train], found.prediction), expected, atol=1e-5)
    together = pearson(Y[~train], found.layer_mean) * found.layer_mean.std(0)
    np.testing.assert_allclose(together, scores["r"].mean("layer"), atol=1e-4)
    changed = Y.copy()
    changed[~train] = 0
    again = predict_selected(scores, changed, train, layers.__getitem__)
    np.testing.assert_array_equal(again.prediction, found.prediction)
