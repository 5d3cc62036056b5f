"""Voxelwise encoding models: ridge regression with one penalty per voxel."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import himalaya.scoring
import numpy as np
from himalaya.backend import set_backend
from himalaya.ridge import RidgeCV
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from brainstruct.encoding.columns import FEATURE_ROUNDING, Array, centre, require_finite
from brainstruct.encoding.scores import FitScores, pearson, r_squared
from brainstruct.encoding.solver import search_alphas

Solver = Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]
"""Training features and responses, test features, penalties -> predictions of the test
responses, chosen penalties, their scores, and those of blocks of held-out images (or none);
arrays of himalaya's current backend."""


def standardise(train: Array, test: Array) -> tuple[Array, Array]:
    """Scale features to mean 0 and standard deviation 1 on the training images.

    Features are (n_images, n_features), returned as float32. One that is constant on the training
    images becomes 0 in both: it cannot have been learnt from.
    """
    centred, squares = centre(train, FEATURE_ROUNDING)
    deviation = np.sqrt(squares / len(train))
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=squares > 0)
    mean = train.mean(0, dtype=np.float64)
    return (centred * scale).astype(np.float32), ((test - mean) * scale).astype(np.float32)


def fit_ridge(
    X_train: Array,
    Y_train: Array,
    X_test: Array,
    Y_test: Array,
    alphas: Sequence[float],
    *,
    folds: int = 5,
    seed: int = 0,
    alpha_score: str = "l2_neg_loss",
    backend: str = "torch",
    targets_per_batch: int = 2000,
    solver: Literal["gram", "himalaya"] = "gram",
    weights: NDArray[np.float64] | None = None,
) -> FitScores:
    """Fit all voxels on one feature space and score them on held-out images.

    Features are (n_images, n_features), standardised here with the training images' statistics, and
    responses (n_images, n_voxels). Penalties (`alphas`) are tried in increasing order, by `folds`
    within the training images, shuffled by the seed, which maximise `alpha_score`: ``l2_neg_loss``,
    ``r2_score`` or ``correlation_score``. `backend` is himalaya's: ``numpy``, ``torch`` or
    ``torch_cuda``; the solver ``gram``, this package's, or ``himalaya``, its own singular value
    decomposition: the same answer, slower. `weights` (n_train,), of ``gram`` alone, say how much
    the squared error of each training image counts in fits, 1 on average; all count alike in
    scores, and in the scaling of features.

    A `ValueError` if shapes disagree, anything is not finite, or the solver knows no weights.
    """
    if weights is not None and solver != "gram":
        raise ValueError(f"the solver {solver} does not weight images")
    require_finite_fit(X_train, Y_train, X_test, Y_test)
    X_train, X_test = standardise(X_train, X_test)
    cv = KFold(folds, shuffle=True, random_state=seed)
    solve: Solver
    # Where no feature varies the mean is all there is, and nothing to decompose.
    if solver == "gram" and X_train.any():
        options = {"score": alpha_score, "n_targets_batch": targets_per_batch}
        solve = partial(_by_gram, cv=cv, weights=weights, **options)
    else:
        params = {
            "score_func": getattr(himalaya.scoring, alpha_score),
            "n_targets_batch": targets_per_batch,
            "n_targets_batch_refit": targets_per_batch,
            "warn": False,
        }
        solve = partial(solve_by_himalaya, fit_intercept=True, cv=cv, solver_params=params)
    return fit_and_score(X_train, Y_train, X_test, Y_test, solve, alphas, backend)


def require_finite_fit(X_train: Array, Y_train: Array, X_test: Array, Y_test: Array) -> None:
    """Check that features and responses hold numbers only, see `require_finite`."""
    require_finite(
        training_features=X_train,
        test_features=X_test,
        training_responses=Y_train,
        test_responses=Y_test,
    )


def fit_and_score(
    X_train: Array,
    Y_train: Array,
    X_test: Array,
    Y_test: Array,
    solver: Solver,
    alphas: Sequence[float],
    backend: str,
) -> FitScores:
    """Fit and score what is scaled as the model wants it; all else as for `fit_ridge`."""
    engine = set_backend(backend)
    grid = np.asarray(alphas, dtype=np.float32)
    arrays = (X_train, Y_train.astype(np.float32, copy=False), X_test, grid)
    found = solver(*(engine.asarray(array) for array in arrays))
    prediction, alpha, cv_score, cv_blocks = (engine.to_numpy(array) for array in found)
    alpha = alpha.astype(np.float32)
    # himalaya returns penalties a rounding away from those it was given
    smallest, largest = (np.isclose(alpha, end).astype(np.int8) for end in (grid[0], grid[-1]))
    return FitScores(
        r=pearson(Y_test, prediction),
        r2=r_squared(Y_test, prediction),
        cv_score=cv_score.astype(np.float32),
        cv_blocks=cv_blocks.astype(np.float32),
        alpha=alpha,
        at_edge=largest - smallest,
        prediction=prediction,
    )


def solve_by_himalaya(
    X: Any, Y: Any, X_test: Any, alphas: Any, **settings: Any
) -> tuple[Any, Any, Any, Any]:
    """Predict with himalaya's own solver, see `Solver`; settings are those of its ``RidgeCV``.

    It keeps no score but the mean over folds, so that there are no blocks.
    """
    model = RidgeCV(alphas=alphas, solver="svd", **settings)
    model.fit(X, Y)
    return model.predict(X_test), model.best_alphas_, model.cv_scores_, model.cv_scores_[None][:0]


def _by_gram(
    X: Any, Y: Any, X_test: Any, alphas: Any, *, cv: KFold, **settings: Any
) -> tuple[Any, Any, Any, Any]:
    """Predict with this package's solver, see `Solver`; settings are those of `search_alphas`."""
    held = [rows for _, rows in cv.split(np.empty(len(Y)))]
    found = search_alphas(X, Y, alphas, held, **settings)
    return found.predict(X_test), found.alphas, found.cv_scores, found.cv_blocks
