"""Voxelwise encoding models: ridge regression with one penalty per voxel."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import himalaya.scoring
import numpy as np
from himalaya.backend import get_backend, set_backend
from himalaya.ridge import RidgeCV
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from brainstruct.encoding.columns import Array, require_finite, standardise
from brainstruct.encoding.grid_edge import beyond_the_grid
from brainstruct.encoding.scores import FitScores, pearson, r_squared
from brainstruct.encoding.selected import ridge_predict
from brainstruct.encoding.solver import beside, decompose_all, on_cpu, search_alphas, wait_for_gpu


class Solution(NamedTuple):
    """What a solver finds, in arrays of himalaya's current backend.

    `predict_at` takes targets and a penalty for each, and predicts their test responses with them.
    """

    prediction: Any
    alphas: Any
    cv_scores: Any
    cv_blocks: Any
    predict_at: Callable[[NDArray[np.intp], Any], Any]


Solver = Callable[[Any, Any], Callable[[Any, Any], Solution]]
"""Takes training and test features, and returns what takes training responses and penalties; all
are arrays of himalaya's current backend."""


class Targets(NamedTuple):
    """Responses (n_images, n_voxels): training images' for himalaya's current backend; tests'."""

    train: Any
    test: Array


Finish = Callable[[Targets], FitScores]
"""Fits and scores responses."""


def targets_of(
    Y_train: Array,
    Y_test: Array,
    *,
    backend: str = "torch",
    scale: Callable[[Array], Array] = np.asarray,
) -> Targets:
    """Bring responses to where they are fitted, once for all layers; either split is scaled.

    A `ValueError` if anything is not finite.
    """
    require_finite(training_responses=Y_train, test_responses=Y_test)
    train = set_backend(backend).asarray(scale(Y_train).astype(np.float32, copy=False))
    return Targets(train, scale(Y_test))


def start_ridge(
    X_train: Array,
    X_test: Array,
    alphas: Sequence[float],
    *,
    folds: int = 5,
    seed: int = 0,
    alpha_score: str = "l2_neg_loss",
    backend: str = "torch",
    targets_per_batch: int = 2000,
    solver: Literal["gram", "himalaya"] = "gram",
    weights: NDArray[np.float64] | None = None,
) -> Finish:
    """Do what needs no responses; return what takes them, fits all voxels and scores them.

    Features are (n_images, n_features), standardised here with the training images' statistics.
    Penalties (`alphas`) are tried in increasing order, by `folds` within the training images,
    shuffled by the seed, which maximise `alpha_score`: ``l2_neg_loss``, ``r2_score`` or
    ``correlation_score``. `backend` is himalaya's: ``numpy``, ``torch`` or ``torch_cuda``; the
    solver ``gram``, this package's, or ``himalaya``, its own singular value decomposition: the same
    answer, slower. `weights` (n_train,), of ``gram`` alone, say how much the squared error of each
    training image counts in fits, 1 on average; all count alike in scores, and in the scaling of
    features.

    A `ValueError` if anything is not finite, or the solver knows no weights; later if shapes
    disagree.
    """
    if weights is not None and solver != "gram":
        raise ValueError(f"the solver {solver} does not weight images")
    require_finite(training_features=X_train, test_features=X_test)
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
    return start_fit(X_train, X_test, solve, alphas, backend)


def start_fit(
    X_train: Array, X_test: Array, solver: Solver, alphas: Sequence[float], backend: str
) -> Finish:
    """Start a fit to features that are scaled as the model wants it, see `start_ridge`."""
    engine = set_backend(backend)
    grid = np.asarray(alphas, dtype=np.float32)
    with beside():
        solve = solver(engine.asarray(X_train), engine.asarray(X_test))

    def finish(targets: Targets) -> FitScores:
        set_backend(backend)
        Y_test = targets.test
        found = solve(targets.train, engine.asarray(grid))
        prediction, alpha, cv_score, cv_blocks = map(engine.to_numpy, found[:4])
        alpha = alpha.astype(np.float32)
        # himalaya returns penalties a rounding away from those it was given
        smallest, largest = (np.isclose(alpha, end).astype(np.int8) for end in (grid[0], grid[-1]))
        at_edge = largest - smallest
        scores = FitScores(
            r=pearson(Y_test, prediction),
            r2=r_squared(Y_test, prediction),
            cv_score=cv_score.astype(np.float32),
            cv_blocks=cv_blocks.astype(np.float32),
            alpha=alpha,
            at_edge=at_edge,
            early=beyond_the_grid(
                lambda voxels, penalties: engine.to_numpy(
                    found.predict_at(voxels, engine.asarray(penalties))
                ),
                Y_test,
                alpha,
                at_edge,
            ),
            prediction=prediction,
        )
        wait_for_gpu()  # before what was made beside is freed
        return scores

    return finish


def solve_by_himalaya(
    X: Any, X_test: Any, *, solver_params: dict[str, Any], **settings: Any
) -> Callable[[Any, Any], Solution]:
    """Predict with himalaya's own solver, see `Solver`; settings are those of its ``RidgeCV``.

    It keeps no score but the mean over folds, so that there are no blocks.
    """

    def solve(Y: Any, alphas: Any) -> Solution:
        model = RidgeCV(alphas=alphas, solver="svd", solver_params=solver_params, **settings)
        model.fit(X, Y)

        def predict_at(voxels: NDArray[np.intp], alphas: Any) -> Any:
            given = map(get_backend().to_numpy, (X, Y[:, voxels], X_test, alphas))
            return get_backend().asarray(ridge_predict(*given))

        best, scores = model.best_alphas_, model.cv_scores_
        return Solution(model.predict(X_test), best, scores, scores[None][:0], predict_at)

    return solve


def _by_gram(
    X: Any, X_test: Any, *, cv: KFold, weights: NDArray[np.float64] | None, **settings: Any
) -> Callable[[Any, Any], Solution]:
    """Predict with this package's solver, see `Solver`; settings are those of `search_alphas`."""
    held = [rows for _, rows in cv.split(np.empty(len(X)))]
    # A GPU has room for this beside the products of another fit; on a CPU both want all cores.
    known = decompose_all(X, held, weights) if on_cpu(X) is None else None

    def solve(Y: Any, alphas: Any) -> Solution:
        decomposition = known or decompose_all(X, held, weights)
        found = search_alphas(decomposition, Y, alphas, held, **settings)
        predict_at = partial(found.predict, X_test)
        return Solution(predict_at(), found.alphas, found.cv_scores, found.cv_blocks, predict_at)

    return solve
