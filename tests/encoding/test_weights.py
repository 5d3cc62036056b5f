"""Training images that count by repetitions: as in scikit-learn; where these are equal, no bit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from brainstruct.encoding.banded import BandedOptions, fit_pair
from brainstruct.encoding.columns import standardise
from brainstruct.encoding.components import Components
from brainstruct.encoding.scores import r_squared
from brainstruct.encoding.selected import ridge_predict
from solvers import fit_ridge

ALPHAS = np.logspace(-1, 3, 9)


def study(n_features, seed=0, n_train=90, n_test=25, n_voxels=5):
    random = np.random.default_rng(seed)
    X = random.standard_normal((n_train + n_test, n_features)) * random.uniform(0.5, 2, n_features)
    Y = 3 + X @ random.standard_normal((n_features, n_voxels)) / np.sqrt(n_features)
    times = random.integers(1, 4, n_train)
    noise = random.standard_normal(Y.shape)
    noise[:n_train] /= np.sqrt(times)[:, None]
    X, Y = X.astype(np.float32), (Y + 2 * noise).astype(np.float32)
    return (X[:n_train], Y[:n_train], X[n_train:], Y[n_train:]), times / times.mean()


def score(kind, truth, guess):
    if kind == "correlation_score":
        return [np.corrcoef(*pair)[0, 1] for pair in zip(truth.T, guess.T, strict=True)]
    error = ((truth - guess) ** 2).mean(0)
    return -error if kind == "l2_neg_loss" else 1 - error / truth.var(0)


@pytest.mark.parametrize("kind", ["l2_neg_loss", "r2_score", "correlation_score"])
@pytest.mark.parametrize("n_features", [12, 130])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_fits_are_those_of_scikit_learn_with_weights(n_features, backend, kind):
    (X, Y, X_test, Y_test), weights = study(n_features)
    found = fit_ridge(
        *(X, Y, X_test, Y_test), ALPHAS,
        folds=4, seed=3, alpha_score=kind, backend=backend, weights=weights,
    )  # fmt: skip
    A, T = standardise(X, X_test)
    folds = list(KFold(4, shuffle=True, random_state=3).split(A))
    scores = np.array([
        np.mean([
            score(kind, Y[held], Ridge(alpha).fit(A[rows], Y[rows], weights[rows]).predict(A[held]))
            for rows, held in folds
        ], axis=0)
        for alpha in ALPHAS
    ])  # fmt: skip
    best = scores.argmax(0)
    np.testing.assert_allclose(found.alpha, ALPHAS[best], rtol=1e-5)
    np.testing.assert_allclose(found.cv_score, scores.max(0), rtol=1e-4, atol=2e-6)
    expected = np.stack(
        [Ridge(ALPHAS[row]).fit(A, Y[:, v], weights).predict(T) for v, row in enumerate(best)], 1
    )
    np.testing.assert_allclose(found.prediction, expected, atol=2e-5)
    again = ridge_predict(X, Y, X_test, found.alpha, weights)
    np.testing.assert_allclose(again, expected, atol=2e-5)
    # It is another fit than one in which all images count alike.
    alike = Ridge(ALPHAS[best[0]]).fit(A, Y[:, 0]).predict(T)
    assert np.abs(alike - expected[:, 0]).max() > 0.01


def test_banded_fits_are_those_of_scikit_learn_with_weights():
    (X, Y, X_test, Y_test), weights = study(12)
    X, X_test = standardise(X, X_test)
    a, b = (Components(X[:, part], X_test[:, part], 6, 1.0) for part in (slice(6), slice(6, 12)))
    shares = (0.0, 0.3, 0.7, 1.0)
    options = BandedOptions(ALPHAS, shares, folds=4, seed=3, weights=weights)
    found = fit_pair(a, b, Y, Y_test, options)
    folds = list(KFold(4, shuffle=True, random_state=3).split(X))
    fits = {}
    for share in shares:
        scale = np.repeat([share, 1 - share], 6) ** 0.5
        for alpha in ALPHAS:
            A, T = X * scale, X_test * scale
            loss = -np.mean([
                score("l2_neg_loss", Y[held],
                      Ridge(alpha).fit(A[rows], Y[rows], weights[rows]).predict(A[held]))
                for rows, held in folds
            ], axis=0)  # fmt: skip
            fits[share, alpha] = loss, Ridge(alpha).fit(A, Y, weights).predict(T)
    for voxel in range(Y.shape[1]):
        share, alpha = min(fits, key=lambda key: fits[key][0][voxel])
        assert found["share"][voxel] == pytest.approx(share)
        assert found["alpha"][voxel] == pytest.approx(alpha, rel=1e-5)
        joint = fits[share, alpha][1][:, [voxel]]
        r2 = r_squared(Y_test[:, [voxel]], joint.astype(np.float32))
        assert found["r2_joint"][voxel] == pytest.approx(r2[0], abs=1e-4)


@pytest.mark.parametrize("n_features", [12, 130])
def test_equal_repetitions_change_no_bit(n_features):
    data, _ = study(n_features)
    times = np.full(len(data[0]), 3)
    weights = times / times.mean()
    plain, weighted = (
        fit_ridge(*data, ALPHAS, backend="numpy", weights=one) for one in (None, weights)
    )
    for name, values in vars(plain).items():
        np.testing.assert_array_equal(getattr(weighted, name), values)
    np.testing.assert_array_equal(
        ridge_predict(*data[:3], plain.alpha, weights), ridge_predict(*data[:3], plain.alpha)
    )


def test_a_solver_that_knows_no_weights_is_refused():
    data, weights = study(12)
    with pytest.raises(ValueError, match="himalaya does not weight"):
        fit_ridge(*data, ALPHAS, solver="himalaya", weights=weights)
