from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from brainstruct.encoding import columns
from brainstruct.encoding.columns import standardise
from brainstruct.encoding.scores import pearson, r_squared
from gpu_stand_in import OnGpu, stand_in
from solvers import fit_ridge


def study(seed=0, n_train=120, n_test=40, n_features=12, n_voxels=7, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_train + n_test, n_features)) * rng.uniform(0.1, 9, n_features) + 3
    B = rng.standard_normal((n_features, n_voxels)) / X.std(0)[:, None]
    Y = X @ B + noise * rng.standard_normal((len(X), n_voxels)) + 5
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    return X[:n_train], Y[:n_train], X[n_train:], Y[n_train:]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_agrees_with_a_plain_search_over_alphas(backend):
    X_train, Y_train, X_test, Y_test = study()
    alphas = np.logspace(0, 4, 7)
    scores = fit_ridge(X_train, Y_train, X_test, Y_test, alphas, folds=4, seed=3, backend=backend)

    mean, deviation = X_train.mean(0), X_train.std(0)
    A, T = (X_train - mean) / deviation, (X_test - mean) / deviation
    folds = list(KFold(4, shuffle=True, random_state=3).split(A))
    for voxel in range(Y_train.shape[1]):
        y = Y_train[:, voxel].astype(float)
        losses = [
            np.mean([
                ((Ridge(alpha).fit(A[fit], y[fit]).predict(A[held]) - y[held]) ** 2).mean()
                for fit, held in folds
            ])
            for alpha in alphas
        ]  # fmt: skip
        best = int(np.argmin(losses))
        prediction = Ridge(alphas[best]).fit(A, y).predict(T)
        assert scores.alpha[voxel] == pytest.approx(alphas[best], rel=1e-5)
        assert scores.cv_score[voxel] == pytest.approx(-losses[best], rel=1e-4)
        assert scores.r[voxel] == pytest.approx(pearsonr(prediction, Y_test[:, voxel])[0], abs=1e-5)
        assert scores.r2[voxel] == pytest.approx(r2_score(Y_test[:, voxel], prediction), abs=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU, and there is none")
@pytest.mark.parametrize(("n_features", "seed"), [(12, 0), (60, 1), (200, 2)])
def test_a_gpu_gives_the_same_answer(n_features, seed):
    """Fewer features than images, about as many as train a fold, and more."""
    arrays = study(seed, n_features=n_features, n_voxels=90)
    alphas = np.logspace(0, 6, 40)
    here, there = (fit_ridge(*arrays, alphas, backend=name) for name in ("torch", "torch_cuda"))
    same = here.alpha == there.alpha
    assert (same | np.isclose(here.cv_score, there.cv_score, rtol=1e-6)).all()
    np.testing.assert_allclose(here.cv_score, there.cv_score, rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(here.r[same], there.r[same], atol=1e-4)
    assert same.mean() > 0.9


@pytest.mark.parametrize("score", ["l2_neg_loss", "r2_score", "correlation_score"])
@pytest.mark.parametrize(("n_features", "weighted"), [(12, False), (60, True), (200, False)])
def test_nothing_is_asked_of_a_gpu_that_it_refuses(monkeypatch, score, n_features, weighted):
    """The code that a GPU runs, on a stand-in that refuses to meet tensors of main memory."""
    stand_in(monkeypatch)
    arrays = study(n_features=n_features, n_voxels=90)
    options = {"alpha_score": score, "targets_per_batch": 40}
    if weighted:
        options["weights"] = np.tile([0.8, 1.2], 60)
    alphas = np.logspace(0, 6, 40)
    here, there = (
        fit_ridge(*arrays, alphas, backend=name, **options) for name in ("torch", "torch_cuda")
    )
    np.testing.assert_array_equal(here.alpha, there.alpha)
    np.testing.assert_allclose(here.cv_score, there.cv_score, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(here.r, there.r, atol=1e-5)


def test_the_stand_in_refuses_what_gpus_do():
    there = OnGpu(torch.ones(2, 3))
    assert there.device.type != "cpu"
    with pytest.raises(RuntimeError, match="add: tensors on a GPU and of main memory"):
        there + torch.ones(2, 3)
    with pytest.raises(TypeError, match="numpy"):
        np.asarray(there)
    assert np.array_equal((there @ there.T).cpu().numpy(), np.full((2, 2), 3.0))


def test_edge_of_the_grid_is_marked():
    X_train, Y_train, X_test, Y_test = study(noise=0.01)
    scores = fit_ridge(X_train, Y_train, X_test, Y_test, [10.0, 1e5, 1e6])
    assert (scores.at_edge != 0).all()
    assert (scores.alpha == 10).all()


def test_test_images_never_reach_the_fit():
    X_train, Y_train, X_test, Y_test = study()
    alphas = np.logspace(0, 3, 4)
    one = fit_ridge(X_train, Y_train, X_test, Y_test, alphas)
    other = fit_ridge(X_train, Y_train, X_test * 7 - 2, Y_test[::-1], alphas)
    np.testing.assert_array_equal(one.alpha, other.alpha)
    np.testing.assert_array_equal(one.cv_score, other.cv_score)


def test_pure_noise_predicts_nothing():
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((400, 20)), rng.standard_normal((400, 300))
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    scores = fit_ridge(X[:300], Y[:300], X[300:], Y[300:], np.logspace(0, 5, 6))
    assert abs(scores.r.mean()) < 3 * scores.r.std() / np.sqrt(scores.r.size)


@pytest.mark.parametrize("place", range(4))
def test_whatever_is_not_finite_is_refused_by_name(place):
    arrays = [array.copy() for array in study()]
    arrays[place][2, 3] = np.inf
    name = ("training features", "training responses", "test features", "test responses")[place]
    with pytest.raises(ValueError, match=f"{name} hold 1 non-finite"):
        fit_ridge(*arrays, [1.0, 2.0])


def test_standardise_uses_training_statistics_and_drops_constants():
    rng = np.random.default_rng(2)
    train = rng.standard_normal((50, 3)).astype(np.float32) * 4 + 1000
    train[:, 1] = 0.1
    test = train[:5] + 8
    a, b = standardise(train, test)
    np.testing.assert_allclose(a[:, [0, 2]].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(a[:, [0, 2]].std(0), 1, atol=1e-5)
    assert (a[:, 1] == 0).all()
    assert (b[:, 1] == 0).all()
    np.testing.assert_allclose(b[:, 0] - a[:5, 0], 8 / train[:, 0].std(), rtol=1e-3)


def test_scores_agree_with_scipy_and_sklearn():
    rng = np.random.default_rng(3)
    truth = rng.standard_normal((60, 4)).astype(np.float32)
    guess = (truth + rng.standard_normal((60, 4))).astype(np.float32)
    for voxel in range(4):
        assert pearson(truth, guess)[voxel] == pytest.approx(
            pearsonr(truth[:, voxel], guess[:, voxel])[0], abs=1e-6
        )
        assert r_squared(truth, guess)[voxel] == pytest.approx(
            r2_score(truth[:, voxel], guess[:, voxel]), abs=1e-6
        )


def test_constant_voxels_and_constant_predictions():
    truth = np.random.default_rng(4).standard_normal((10, 2)).astype(np.float32)
    guess = truth.copy()
    truth[:, 0] = 1
    guess[:, 1] = 2
    r = pearson(truth, guess)
    assert np.isnan(r[0])
    assert r[1] == 0
    with pytest.raises(ValueError, match="shapes"):
        pearson(truth, guess[:5])


@pytest.mark.filterwarnings("error")
def test_constant_responses_have_no_r2_and_are_no_reason_to_warn():
    truth = np.array([[1, 1, 1], [1, 1, 2], [1, 1, 3]], np.float32)
    guess = np.array([[1, 2, 1], [1, 3, 2], [1, 1, 4]], np.float32)
    np.testing.assert_array_equal(r_squared(truth, guess), np.float32([np.nan, np.nan, 0.5]))


def test_both_solvers_agree():
    X_train, Y_train, X_test, Y_test = study()
    alphas = np.logspace(0, 4, 25)
    for score in ("l2_neg_loss", "r2_score", "correlation_score"):
        ours, theirs = (
            fit_ridge(
                X_train, Y_train, X_test, Y_test, alphas, alpha_score=score, solver=solver,
            )
            for solver in ("gram", "himalaya")
        )  # fmt: skip
        np.testing.assert_allclose(ours.alpha, theirs.alpha, rtol=1e-4)
        np.testing.assert_allclose(ours.r, theirs.r, atol=1e-4)
        np.testing.assert_array_equal(ours.at_edge, theirs.at_edge)


def test_features_that_never_vary_predict_the_mean():
    _, Y_train, _, Y_test = study()
    X = np.ones((160, 3), dtype=np.float32)
    scores = fit_ridge(X[:120], Y_train, X[120:], Y_test, [1.0, 2.0])
    np.testing.assert_array_equal(scores.r, 0)


def test_more_features_than_images_are_no_reason_to_warn():
    X_train, Y_train, X_test, Y_test = study(n_train=20, n_test=5, n_features=40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_ridge(X_train, Y_train, X_test, Y_test, [1.0, 10.0], solver="himalaya")


def test_features_are_scaled_alike_whatever_is_held_at_once(monkeypatch):
    X_train, _, X_test, _ = study(n_features=60)
    X_train[:, 7] = 3
    whole = standardise(X_train, X_test)
    monkeypatch.setattr(columns, "COLUMNS", 7)
    for one, other in zip(whole, standardise(X_train, X_test), strict=True):
        np.testing.assert_array_equal(one, other)
        assert (one[:, 7] == 0).all()
