"""The published pipeline's numbers, from an implementation of their definition of its own."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.alignment import select_layers
from brainstruct.encoding.fitting import choose_fit
from brainstruct.encoding.preset import zscore_splits
from brainstruct.encoding.scores import pearson
from brainstruct.encoding.selected import predict_selected
from solvers import at_once, fit_oota2025


def published(X_train, Y_train, X_test, Y_test):
    """Z-score each split by itself; search 60 penalties over five consecutive folds."""

    def z(values):
        return (values - values.mean(axis=0)) / values.std(axis=0)

    X, Y, T, truth = (z(part.astype(float)) for part in (X_train, Y_train, X_test, Y_test))
    penalties = np.logspace(1, 4, 60)
    folds = np.array_split(np.arange(len(X)), 5)

    def weights(A, B, penalty):
        return np.linalg.solve(A.T @ A + penalty * np.eye(A.shape[1]), A.T @ B)

    losses = np.zeros((60, Y.shape[1]))
    for held in folds:
        fit = np.setdiff1d(np.arange(len(X)), held)
        for row, penalty in enumerate(penalties):
            error = Y[held] - X[held] @ weights(X[fit], Y[fit], penalty)
            losses[row] += (error**2).mean(0) / 5
    best = losses.argmin(0)
    r, r2 = np.zeros(Y.shape[1]), np.zeros(Y.shape[1])
    for voxel, row in enumerate(best):
        guess = T @ weights(X, Y[:, voxel], penalties[row])
        r[voxel] = np.corrcoef(guess, truth[:, voxel])[0, 1]
        r2[voxel] = 1 - ((truth[:, voxel] - guess) ** 2).sum() / (truth[:, voxel] ** 2).sum()
    return penalties[best], -losses.min(0), r, r2


def study(n_features=40, shift=1.0):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((260, n_features)) @ rng.standard_normal((n_features, n_features))
    B = rng.standard_normal((n_features, 25)) / X.std(0)[:, None]
    Y = X @ B + rng.uniform(0.5, 20, 25) * rng.standard_normal((260, 25)) + 3
    X[200:] = X[200:] * 1.7 + shift  # the test split has statistics of its own
    Y[200:] += shift
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    return X[:200], Y[:200], X[200:], Y[200:]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_reproduces_the_published_definition(backend):
    arrays = study()
    alpha, cv_score, r, r2 = published(*arrays)
    found = fit_oota2025(*arrays, backend=backend)
    np.testing.assert_allclose(found.alpha, alpha, rtol=1e-5)
    np.testing.assert_allclose(found.cv_score, cv_score, rtol=1e-4)
    np.testing.assert_allclose(found.r, r, atol=1e-4)
    np.testing.assert_allclose(found.r2, r2, atol=1e-3)
    assert found.at_edge.tolist() == (1 * (alpha == 1e4) - (alpha == 10)).tolist()


def test_more_features_than_images():
    arrays = study(n_features=300)
    alpha, _, r, _ = published(*arrays)
    found = fit_oota2025(*arrays)
    np.testing.assert_allclose(found.alpha, alpha, rtol=1e-5)
    np.testing.assert_allclose(found.r, r, atol=1e-4)


def test_test_split_scales_itself_and_nothing_else_does():
    X_train, Y_train, X_test, Y_test = study()
    found = fit_oota2025(X_train, Y_train, X_test, Y_test)
    moved = fit_oota2025(X_train, Y_train, X_test * 3 + 7, Y_test * 2 - 1)
    np.testing.assert_allclose(moved.r, found.r, atol=1e-4)


def test_constant_columns_and_bad_numbers():
    constant = np.full((5, 2), 0.1, np.float32)
    assert (zscore_splits(constant, np.arange(5) < 3) == 0).all()
    arrays = [part.copy() for part in study()]
    arrays[0][2, 1] = np.inf
    with pytest.raises(ValueError, match="1 non-finite"):
        fit_oota2025(*arrays)


def test_configured_preset_is_what_is_fitted_whatever_the_other_settings_say():
    arrays = study()
    fit = choose_fit({"preset": "oota2025"}, seed=3, targets_per_batch=7, backend="numpy")
    found = at_once(*fit)(*arrays)
    alpha, _, r, _ = published(*arrays)
    np.testing.assert_allclose(found.alpha, alpha, rtol=1e-5)
    np.testing.assert_allclose(found.r, r, atol=1e-4)
    with pytest.raises(ValueError, match="oota2099"):
        choose_fit({"preset": "oota2099"}, seed=0, targets_per_batch=1, backend="numpy")


def test_score_of_a_voxel_is_the_mean_over_layers():
    """The published number of a model: test correlations, averaged over all layers."""
    layers = [study(), study(n_features=25), study(n_features=300)]
    Y_train, Y_test = layers[0][1], layers[0][3]
    fits = [fit_oota2025(X, Y_train, T, Y_test) for X, _, T, _ in layers]
    scores = xr.Dataset(
        {
            name: (("instruction", "layer", "voxel"), np.array([[getattr(f, name) for f in fits]]))
            for name in ("r", "cv_score")
        },
        coords={"layer": [0, 1, 2]},
    )
    found = select_layers(scores, "mean")["r"].values[0]
    expected = np.mean([published(X, Y_train, T, Y_test)[2] for X, _, T, _ in layers], axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_predictions_can_be_repeated_from_the_known_penalties():
    """Where layers are fitted by several jobs, selected layers are fitted once more."""
    X_train, Y_train, X_test, Y_test = study()
    fit = fit_oota2025(X_train, Y_train, X_test, Y_test)
    train = np.arange(260) < 200
    X = zscore_splits(np.concatenate([X_train, X_test]), train)
    Y = zscore_splits(np.concatenate([Y_train, Y_test]), train)
    scores = xr.Dataset(
        {name: (("layer", "voxel"), getattr(fit, name)[None]) for name in ("cv_score", "alpha")},
        coords={"layer": [5]},
    )
    found = predict_selected(scores, Y, train, lambda layer: X).prediction
    np.testing.assert_allclose(found, fit.prediction, atol=2e-4)
    np.testing.assert_allclose(pearson(Y_test, found), fit.r, atol=1e-4)
