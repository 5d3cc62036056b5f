"""The published pipeline's numbers, from an implementation of their definition of its own."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.preset import fit_oota2025, layer_mean, zscore


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
    assert found.at_edge.tolist() == np.isin(alpha, [10, 1e4]).tolist()


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
    assert (zscore(np.full((5, 2), 0.1, np.float32)) == 0).all()
    arrays = [part.copy() for part in study()]
    arrays[0][2, 1] = np.inf
    with pytest.raises(ValueError, match="1 non-finite"):
        fit_oota2025(*arrays)


def test_layer_mean_leaves_nan_out():
    np.testing.assert_allclose(
        layer_mean(np.array([[0.1, np.nan, np.nan], [0.3, 0.2, np.nan]])), [0.2, 0.2, np.nan]
    )
