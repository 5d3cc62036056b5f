"""Voxelwise encoding models: himalaya's ridge regression with one penalty per voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from himalaya.backend import get_backend, set_backend
from himalaya.ridge import RidgeCV
from himalaya.scoring import correlation_score, l2_neg_loss, r2_score
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from brainstruct.encoding.finite import require_finite
from brainstruct.encoding.scores import FitScores, pearson, r_squared
from brainstruct.encoding.solver import search_alphas

Array = NDArray[np.float32]

SCORE_FUNCTIONS = {
    "l2_neg_loss": l2_neg_loss,
    "r2_score": r2_score,
    "correlation_score": correlation_score,
}


@dataclass(frozen=True)
class RidgeOptions:
    """How a ridge regression is fitted.

    Attributes
    ----------
    alphas : sequence of float
        Penalties tried, increasing.
    folds : int
        Cross-validation folds within the training images.
    seed : int
        Seed that shuffles images into folds.
    alpha_score : str
        What cross-validation maximises: ``l2_neg_loss``, ``r2_score`` or
        ``correlation_score``.
    backend : str
        Backend of himalaya: ``numpy``, ``torch`` or ``torch_cuda``.
    targets_per_batch : int
        Voxels worked on at once.
    solver : str
        ``gram``, this package's solver, or ``himalaya``, its own
        singular value decomposition: the same answer, slower.
    """

    alphas: Sequence[float]
    folds: int = 5
    seed: int = 0
    alpha_score: str = "l2_neg_loss"
    backend: str = "torch"
    targets_per_batch: int = 2000
    solver: Literal["gram", "himalaya"] = "gram"


def standardise(train: Array, test: Array) -> tuple[Array, Array]:
    """Scale features to mean 0 and standard deviation 1 on the training images.

    Parameters
    ----------
    train, test : array of shape (n_images, n_features)
        Features; every statistic comes from `train`.

    Returns
    -------
    train, test : array
        float32. A feature that is constant on the training images becomes 0 in
        both: it cannot have been learnt from.
    """
    mean = train.mean(0, dtype=np.float64)
    deviation = train.std(0, dtype=np.float64)
    # float32 rounding of a constant column leaves a deviation near its precision.
    constant = deviation <= 1e-6 * np.maximum(np.abs(mean), 1e-30)
    scale = np.where(constant, 0.0, 1.0 / np.where(constant, 1.0, deviation))
    return (
        ((train - mean) * scale).astype(np.float32),
        ((test - mean) * scale).astype(np.float32),
    )


def fit_ridge(
    X_train: Array, Y_train: Array, X_test: Array, Y_test: Array, options: RidgeOptions
) -> FitScores:
    """Fit all voxels on one feature space and score them on held-out images.

    Parameters
    ----------
    X_train, X_test : array of shape (n_images, n_features)
        Features; standardised here, with the training images' statistics.
    Y_train, Y_test : array of shape (n_images, n_voxels)
        Responses.
    options : RidgeOptions
        Penalties, folds, backend.

    Returns
    -------
    FitScores
        Per voxel.

    Raises
    ------
    ValueError
        If shapes disagree or anything is not finite.
    """
    require_finite(
        training_features=X_train,
        test_features=X_test,
        training_responses=Y_train,
        test_responses=Y_test,
    )
    backend = set_backend(options.backend)
    X_train, X_test = standardise(X_train, X_test)
    alphas = np.asarray(options.alphas, dtype=np.float32)
    fit = _fit_gram if options.solver == "gram" else _fit_himalaya
    prediction, chosen, cv_score = fit(
        backend.asarray(X_train),
        backend.asarray(Y_train.astype(np.float32)),
        backend.asarray(X_test),
        backend.asarray(alphas),
        options,
    )
    prediction = backend.to_numpy(prediction)
    alpha = backend.to_numpy(chosen).astype(np.float32)
    return FitScores(
        r=pearson(Y_test, prediction),
        r2=r_squared(Y_test, prediction),
        cv_score=backend.to_numpy(cv_score).reshape(-1).astype(np.float32),
        alpha=alpha,
        # himalaya returns penalties a rounding away from those it was given
        at_edge=np.isclose(alpha, alphas[0]) | np.isclose(alpha, alphas[-1]),
        prediction=prediction,
    )


def _folds(options: RidgeOptions) -> KFold:
    return KFold(options.folds, shuffle=True, random_state=options.seed)


def _fit_gram(
    X: Any, Y: Any, X_test: Any, alphas: Any, options: RidgeOptions
) -> tuple[Any, Any, Any]:
    """Return predictions, penalties and scores of the package's solver."""
    if not get_backend().to_numpy(X).any():  # no feature varies: the mean is all there is
        return _fit_himalaya(X, Y, X_test, alphas, options)
    found = search_alphas(
        X,
        Y,
        alphas,
        [(train, held) for train, held in _folds(options).split(np.empty(len(Y)))],
        fit_intercept=True,
        score_func=SCORE_FUNCTIONS[options.alpha_score],
        n_targets_batch=options.targets_per_batch,
    )
    return found.predict(X_test), found.alphas, found.cv_scores


def _fit_himalaya(
    X: Any, Y: Any, X_test: Any, alphas: Any, options: RidgeOptions
) -> tuple[Any, Any, Any]:
    """Return predictions, penalties and scores of himalaya's own solver."""
    model = RidgeCV(
        alphas=alphas,
        fit_intercept=True,
        solver="svd",
        solver_params={
            "score_func": SCORE_FUNCTIONS[options.alpha_score],
            "local_alpha": True,
            "n_targets_batch": options.targets_per_batch,
            "n_targets_batch_refit": options.targets_per_batch,
            "warn": False,
        },
        cv=_folds(options),
    )
    model.fit(X, Y)
    return model.predict(X_test), model.best_alphas_, model.cv_scores_
