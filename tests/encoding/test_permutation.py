from __future__ import annotations

import numpy as np
import pytest
from himalaya.backend import set_backend
from scipy.stats import binom, false_discovery_control, pearsonr
from sklearn.model_selection import KFold

from brainstruct.encoding.permutation import BLOCK, permutation_p
from brainstruct.encoding.ridge import RidgeOptions
from brainstruct.encoding.solver import search_alphas


def noise(n_images, n_voxels, seed):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n_images, n_voxels)).astype(np.float32) for _ in range(2))


def test_equals_a_plain_loop():
    truth, prediction = noise(30, 5, 0)
    prediction += 0.5 * truth
    rng = np.random.default_rng(7)
    orders = [rng.permutation(30) for _ in range(99)]
    expected = []
    for voxel in range(5):
        y, f = truth[:, voxel].astype(float), prediction[:, voxel].astype(float)
        r = pearsonr(y, f)[0]
        expected.append((1 + sum(pearsonr(y, f[order])[0] >= r for order in orders)) / 100)
    found = permutation_p(truth, prediction, n_permutations=99, seed=7)
    np.testing.assert_allclose(found, expected)


def test_noise_has_uniform_p():
    truth, prediction = noise(80, 2000, 1)
    p = permutation_p(truth, prediction, n_permutations=199)
    low, high = binom.interval(0.99, p.size, 0.05)
    assert low <= (p <= 0.05).sum() <= high
    assert abs(p.mean() - 0.5) < 0.02


def test_noise_survives_no_false_discovery_control():
    runs = 100
    found = 0
    for seed in range(runs):
        truth, prediction = noise(40, 20, 100 + seed)
        p = permutation_p(truth, prediction, n_permutations=399, seed=seed)
        found += (false_discovery_control(p) < 0.05).any()
    assert found <= binom.ppf(0.99, runs, 0.05)


def test_signal_is_found_and_seed_decides():
    truth, prediction = noise(60, BLOCK + 3, 2)
    prediction[:, -1] += 2 * truth[:, -1]
    p = permutation_p(truth, prediction, n_permutations=200, seed=3)
    assert p[-1] == pytest.approx(1 / 201)
    np.testing.assert_array_equal(p, permutation_p(truth, prediction, n_permutations=200, seed=3))


def test_constant_columns():
    truth, prediction = noise(20, 2, 4)
    truth[:, 0] = 3
    prediction[:, 1] = 0.1
    p = permutation_p(truth, prediction, n_permutations=20)
    assert np.isnan(p[0])
    assert p[1] == 1


def test_bad_input_is_refused():
    truth, prediction = noise(20, 2, 5)
    with pytest.raises(ValueError, match="shapes"):
        permutation_p(truth, prediction[:5])
    with pytest.raises(ValueError, match="at least 1"):
        permutation_p(truth, prediction, n_permutations=0)


def test_fits_to_noise_survive_no_false_discovery_control():
    """About 5 of 100 runs may find something at a false discovery rate of 0.05, not more."""
    options = RidgeOptions(np.logspace(0, 4, 5), folds=3, backend="numpy")
    runs = 100
    found = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((90, 8)).astype(np.float32)
        Y = rng.standard_normal((90, 12)).astype(np.float32)
        prediction = fit_prediction(X[:50], Y[:50], X[50:], options)
        p = permutation_p(Y[50:], prediction, n_permutations=399, seed=seed)
        found += (false_discovery_control(p) < 0.05).any()
    assert found <= binom.ppf(0.99, runs, 0.05)


def fit_prediction(X, Y, X_test, options):
    set_backend(options.backend)
    splits = list(KFold(options.folds).split(X))
    return search_alphas(X, Y, np.asarray(options.alphas, "f4"), splits).predict(X_test)
