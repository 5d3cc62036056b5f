"""The solver against himalaya, scikit-learn and the normal equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from himalaya.backend import get_backend, set_backend
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

import solvers
from brainstruct.encoding.solver import holdout
from brainstruct.encoding.solver import search as search_module
from brainstruct.encoding.solver.arrays import Scratch, precision, product
from brainstruct.encoding.solver.decomposition import decompose

FOLDS = KFold(4, shuffle=True, random_state=0)
SCORES = ["l2_neg_loss", "r2_score", "correlation_score"]


def design(kind: str, n: int, p: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    if kind == "power_law":
        X = (X * np.arange(1, p + 1) ** -0.8) @ np.linalg.qr(rng.standard_normal((p, p)))[0]
    elif kind == "collinear":
        X = X[:, : p // 2] @ rng.standard_normal((p // 2, p)) + 1e-2 * X
    elif kind == "rank_deficient":
        X = X[:, : p // 3] @ rng.standard_normal((p // 3, p))
    elif kind == "outlier":  # one feature of 10,000 times the variance
        X[:, 3] *= 100
    return X.astype(np.float32)


def targets(X: np.ndarray, t: int, noise: float = 1.5, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    signal = (X / X.std(0)) @ rng.standard_normal((X.shape[1], t))
    return (signal / signal.std(0) + noise * rng.standard_normal(signal.shape) + 0.7).astype("f4")


def fit(solver, backend, X, Y, alphas, score="l2_neg_loss", batch=37):
    set_backend(backend)
    return solvers.fit(solver, X, Y, alphas, FOLDS, score, batch)


def z(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(0)) / values.std(0)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("shape", [(240, 60), (100, 90), (80, 150)])
@pytest.mark.parametrize("kind", ["random", "power_law", "collinear", "rank_deficient", "outlier"])
def test_agrees_with_himalaya(kind, shape, backend):
    n, p = shape
    X = design(kind, n + 60, p)
    Y = targets(X, 90)
    X, X_test, Y, Y_test = X[:n], X[n:], Y[:n], Y[n:]
    # 20 are all evaluated, of 60 some are interpolated
    alphas = np.logspace(0, 6, {"numpy": 20, "torch": 60}[backend]).astype(np.float32)
    be = set_backend(backend)
    for score in SCORES:
        ours, theirs = (fit(s, backend, X, Y, alphas, score) for s in ("gram", "himalaya"))
        a, b = (be.to_numpy(model.alphas) for model in (ours, theirs))
        c, d = (be.to_numpy(model.cv_scores) for model in (ours, theirs))
        same = np.isclose(a, b, rtol=1e-4)
        tie = np.abs(c - d) <= 1e-6 * np.maximum(1, np.abs(d))
        assert (same | tie).mean() >= 0.999
        np.testing.assert_allclose(c, d, rtol=1e-5, atol=2e-5)
        guess, other = (be.to_numpy(m.predict(be.asarray(X_test))) for m in (ours, theirs))
        np.testing.assert_allclose(guess[:, same], other[:, same], rtol=1e-4, atol=5e-4)
        # digits of a prediction that hardly differs from the mean are lost where it is stored
        clear = same & (other.std(0) > 1e-4 * np.abs(other.mean(0)))
        r, s = ((z(prediction) * z(Y_test)).mean(0) for prediction in (guess, other))
        assert np.abs(r - s)[clear].max(initial=0) <= 1e-4
        assert clear.mean() > 0.5


def test_one_ill_conditioned_fold_is_worked_out_in_float64():
    """Its rows alone have some feature: what trains without them cannot predict along it."""
    X = design("random", 80, 20).astype(np.float64)
    held = next(held for _, held in FOLDS.split(X))
    X[:, 0] = 0
    X[held[0], 0] = 3000
    Y = targets(X, 6).astype(np.float64)
    alphas = np.logspace(-4, 0, 5)
    single = fit("gram", "numpy", X.astype(np.float32), Y.astype(np.float32), alphas)
    double = fit("gram", "numpy", X, Y, alphas)
    np.testing.assert_allclose(single.cv_scores, double.cv_scores, rtol=1e-3)


@pytest.mark.parametrize("shape", [(90, 20), (50, 70)])
def test_scores_are_those_of_refitting_every_fold(shape):
    """scikit-learn fold by fold, in float64: the definition of what is computed."""
    X = design("power_law", *shape)
    Y = targets(X, 6)
    alphas = np.logspace(-1, 4, 40)
    ours = fit("gram", "numpy", X, Y, alphas)
    losses = np.zeros((len(alphas), 6))
    for train, held in FOLDS.split(X):
        for row, alpha in enumerate(alphas):
            model = Ridge(alpha).fit(X[train].astype(float), Y[train])
            losses[row] += ((model.predict(X[held].astype(float)) - Y[held]) ** 2).mean(0) / 4
    np.testing.assert_allclose(ours.cv_scores, -losses.min(0), rtol=1e-5)
    np.testing.assert_allclose(ours.alphas, alphas[losses.argmin(0)], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["random", "collinear", "rank_deficient", "outlier"])
@pytest.mark.parametrize("shape", [(60, 15), (40, 55)])
def test_predictions_solve_the_normal_equations(shape, kind, dtype):
    X = design(kind, *shape).astype(dtype)
    Y = targets(X, 5).astype(dtype)
    ours = fit("gram", "numpy", X, Y, np.array([3.0, 70.0]))
    # a prediction from nothing is the intercept, one from a single feature adds its coefficient
    intercept = ours.predict(np.zeros_like(X[:1]))[0]
    coefficients = ours.predict(np.eye(shape[1], dtype=dtype)) - intercept
    some = ours.predict(X[:9], np.array([2, 0]))
    np.testing.assert_allclose(some, ours.predict(X[:9])[:, [2, 0]], rtol=1e-5, atol=1e-5)
    X, Y = X.astype(float), Y.astype(float)
    middle, level = X.mean(0), Y.mean(0)
    A, B = X - middle, Y - level
    for voxel, alpha in enumerate(ours.alphas.astype(float)):
        direct = np.linalg.solve(A.T @ A + alpha * np.eye(A.shape[1]), A.T @ B[:, voxel])
        np.testing.assert_allclose(coefficients[:, voxel], direct, atol=1e-5)
        assert intercept[voxel] == pytest.approx(level[voxel] - middle @ direct, abs=1e-5)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("kind", ["power_law", "outlier"])
def test_single_precision_is_about_as_close_to_the_truth_as_himalayas(kind, score):
    X = design(kind, 400, 150)
    Y = targets(X, 60)
    alphas = np.logspace(0, 6, 60).astype(np.float32)
    ours, theirs = (fit(solver, "numpy", X, Y, alphas, score) for solver in ("gram", "himalaya"))
    truth = fit("himalaya", "numpy", X.astype(float), Y.astype(float), alphas, score)
    error, reference = (np.abs(model.cv_scores - truth.cv_scores).max() for model in (ours, theirs))
    assert error <= max(4 * reference, 2e-6)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("shape", [(400, 150), (150, 400)])
@pytest.mark.parametrize("kind", ["power_law", "outlier", "collinear"])
def test_bands_and_interpolation_are_far_below_the_rounding_of_float32(
    kind, shape, score, monkeypatch
):
    """The tolerances that float32 data have, at work in float64, where nothing else is lost."""
    monkeypatch.setitem(search_module.TOLERANCE, "float64", search_module.TOLERANCE["float32"])
    X = design(kind, *shape).astype(float)
    Y = targets(X, 30).astype(float)
    alphas = np.logspace(0, 6, 60)
    ours, truth = (fit(solver, "numpy", X, Y, alphas, score) for solver in ("gram", "himalaya"))
    error = np.abs(ours.cv_scores - truth.cv_scores).max()
    assert error <= 1.5e-7  # float32 itself costs 1e-6 and more


@pytest.mark.parametrize("score", SCORES)
def test_many_penalties_are_interpolated_as_if_evaluated(score, monkeypatch):
    X = design("power_law", 200, 40)
    Y = targets(X, 30)
    alphas = np.logspace(-1, 5, 100).astype(np.float32)
    few = fit("gram", "torch", X, Y, alphas, score)
    everything = search_module.choose_nodes(alphas[:3].astype(float), 1e4, 40.0, 1e-6)
    assert everything.exact
    monkeypatch.setattr(
        search_module,
        "choose_nodes",
        lambda alphas, *_: type(everything)(np.arange(len(alphas)), np.eye(len(alphas)), True),
    )
    every = fit("gram", "torch", X, Y, alphas, score)
    np.testing.assert_allclose(few.cv_scores, every.cv_scores, atol=3e-6)


def test_small_penalties_beyond_float32_are_worked_out_in_float64():
    """Held-out rows outside the span of the training rows: float32 alone would be lost."""
    X = design("power_law", 60, 58)
    Y = targets(X, 8, noise=0.1)
    alphas = np.array([1e-4, 1e-3, 1e-2], dtype=np.float32)
    single = fit("gram", "numpy", X, Y, alphas)
    double = fit("himalaya", "numpy", X.astype("f8"), Y.astype("f8"), alphas)
    np.testing.assert_allclose(single.cv_scores, double.cv_scores, rtol=1e-4)


@pytest.mark.parametrize("precise", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["numpy", "torch", "torch without oneDNN"])
def test_products_are_those_of_float64_to_rounding(kind, precise, monkeypatch):
    """Of views in any order, into a view: as the solver asks for them."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: kind == "torch")
    backend = set_backend(kind.split()[0])
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((40, 700)), rng.standard_normal((600, 30))
    expected = left[:, 50:650] @ right
    a, b = (backend.asarray(part.astype(precise)) for part in (left, right))
    out = backend.zeros_like(a, shape=(40, 50))
    product(a[:, 50:650], b.T, out[:, 10:40])
    size = np.abs(left[:, 50:650]) @ np.abs(right)
    error = np.abs(backend.to_numpy(out)[:, 10:40].astype(float) - expected) / size
    assert error.max() < 10 * np.finfo(precise).eps
    assert not backend.to_numpy(out)[:, :10].any()


def test_batches_change_nothing():
    X = design("random", 120, 30)
    Y = targets(X, 50)
    alphas = np.logspace(0, 4, 12).astype(np.float32)
    one = fit("gram", "torch", X, Y, alphas, "r2_score", batch=50)
    other = fit("gram", "torch", X, Y, alphas, "r2_score", batch=7)
    np.testing.assert_allclose(one.cv_scores, other.cv_scores, atol=1e-6)
    X = torch.as_tensor(X)
    np.testing.assert_allclose(one.predict(X), other.predict(X), atol=1e-5)


@pytest.mark.parametrize("dual", [False, True])
def test_rounding_beside_a_large_component_is_no_component(dual):
    rng = np.random.default_rng(0)
    X = 1e6 * np.outer(rng.standard_normal(40), rng.standard_normal(30))
    X += rng.standard_normal((40, 3)) @ rng.standard_normal((3, 30))
    set_backend("numpy")
    found = decompose(X, dual=dual).eigenvalues
    assert (found > 0).sum() == 4
    assert (found >= 0).all()


def test_the_gain_of_a_fold_is_that_of_its_inverse():
    """What divides by I - H_ff enlarges rounding so much, root mean square."""
    X = design("random", 40, 6).astype(float)
    rows = np.arange(3, 15)
    set_backend("numpy")
    found = decompose(X, dual=False)
    factors = holdout.shrinkage(found, np.array([3.0]), 1e-12)
    fold = holdout.HeldOutRows(
        found.left(rows, "float64"), np.ones(len(rows)), factors, 40, Scratch()
    )
    A = X - X.mean(0)
    H = A @ np.linalg.solve(A.T @ A + 3 * np.eye(6), A.T) + 1 / 40
    inverse = np.linalg.inv(np.eye(12) - H[np.ix_(rows, rows)])
    np.testing.assert_allclose(fold.gain, [np.sqrt((inverse**2).sum() / 12)], rtol=1e-9)


def test_the_gain_of_a_fold_counts_what_is_summed_where_all_components_are():
    """In the dual form I - H itself is summed, no more than the share of the targets it leaves."""
    X = design("power_law", 20, 50).astype(float)
    rows = np.arange(3, 9)
    set_backend("numpy")
    found = decompose(X, dual=True)
    factors = holdout.shrinkage(found, np.array([3.0]), 1e-12)
    fold = holdout.HeldOutRows(
        found.left(rows, "float64"), np.ones(len(rows)), factors, 20, Scratch()
    )
    A = X - X.mean(0)
    left = 3 * np.linalg.inv(A @ A.T + 3 * np.eye(20)) - 1 / 20
    inverse = np.linalg.inv(left[np.ix_(rows, rows)])
    share = np.sqrt((left**2).sum() / 19)
    np.testing.assert_allclose(fold.gain, [share * np.sqrt((inverse**2).sum() / 6)], rtol=1e-9)


def test_features_of_which_none_varies_predict_the_mean_in_the_dual_form():
    Y = targets(design("random", 24, 5), 3)
    X = np.ones((24, 60), np.float32)
    ours = fit("gram", "numpy", X, Y, np.array([1, 10], np.float32))
    folds = [(Y[held] - Y[train].mean(0)) ** 2 for train, held in FOLDS.split(Y)]
    np.testing.assert_allclose(ours.cv_scores, -np.mean([f.mean(0) for f in folds], 0), rtol=1e-5)
    np.testing.assert_allclose(ours.predict(X[:2]), [Y.mean(0)] * 2, rtol=1e-5)


def test_what_it_cannot_do_is_refused():
    X = design("random", 40, 5)
    Y = targets(X, 3)
    alphas = np.array([1.0, 2.0], dtype=np.float32)
    with pytest.raises(ValueError, match="above 0"):
        fit("gram", "numpy", X, Y, alphas - 1)
    with pytest.raises(ValueError, match="score must be one of"):
        fit("gram", "numpy", X, Y, alphas, "explained_variance")
    with pytest.raises(ValueError, match="disagree"):
        search_module.search_alphas(search_module.decompose(X, dual=False), Y[:-1], alphas, [])
    with pytest.raises(ValueError, match="varies"):
        fit("gram", "numpy", X * 0, Y, alphas)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("shape", [(90, 20), (50, 70)])
def test_a_failed_factorisation_is_repeated_in_float64(shape, backend, monkeypatch):
    X = design("power_law", *shape)
    Y = targets(X, 25)
    alphas = np.logspace(0, 4, 10).astype(np.float32)
    plain = fit("gram", backend, X, Y, alphas)
    tried = refuse(monkeypatch, lambda number, dtype: dtype == "float32" and number % 3 == 0)
    ours = fit("gram", backend, X, Y, alphas)
    assert {"float32", "float64"} <= set(tried)
    be = get_backend()
    predictions = (model.predict(be.asarray(X)) for model in (ours, plain))
    for (found, expected), error in (
        ((ours.alphas, plain.alphas), {"rtol": 1e-5}),
        (predictions, {"atol": 1e-5}),
        ((ours.cv_scores, plain.cv_scores), {"rtol": 1e-5}),
    ):
        np.testing.assert_allclose(be.to_numpy(found), be.to_numpy(expected), **error)


def test_penalties_that_float64_cannot_evaluate_are_never_chosen(monkeypatch, caplog):
    X = design("power_law", 90, 20)
    Y = targets(X, 25)
    alphas = np.array([1, 10, 100], dtype=np.float32)
    plain = fit("gram", "numpy", X, Y, alphas[1:])
    # the first four factorisations measure the gain in each fold, then come three per fold
    refuse(monkeypatch, lambda number, dtype: dtype == "float64" or number in (4, 7, 10, 13))
    ours = fit("gram", "numpy", X, Y, alphas)
    assert "penalties 1 cannot" in caplog.text
    np.testing.assert_array_equal(ours.alphas, plain.alphas)
    # Where none can be evaluated, the score is himalaya's for that.
    refuse(monkeypatch, lambda number, dtype: True)
    none = fit("gram", "numpy", X, Y, alphas)
    np.testing.assert_allclose(none.cv_scores, -1e5, rtol=1e-6)


def refuse(monkeypatch, when) -> list[str]:
    """Let factorisations fail; return the precisions of all tried from here on."""
    real, tried = holdout.inverse_in_place, []

    def inverse_in_place(matrix):
        tried.append(precision(matrix))
        matrix_is_refused = when(len(tried) - 1, tried[-1])
        if matrix_is_refused:
            matrix[...] = np.nan
        return not matrix_is_refused and real(matrix)

    monkeypatch.setattr(holdout, "inverse_in_place", inverse_in_place)
    return tried
