"""The solver in the form that himalaya's ``RidgeCV`` calls."""

from __future__ import annotations

from typing import Any

import numpy as np
from himalaya.backend import get_backend
from himalaya.ridge import RidgeCV
from himalaya.scoring import l2_neg_loss
from himalaya.validation import check_cv

from brainstruct.encoding.solver.arrays import Array, precision
from brainstruct.encoding.solver.folds import as_rows
from brainstruct.encoding.solver.search import BATCH, search_alphas

NAME = "gram"


def solve_ridge_cv_gram(
    X: Array,
    Y: Array,
    alphas: Any = 1.0,
    fit_intercept: bool = False,
    score_func: object = l2_neg_loss,
    cv: Any = 5,
    local_alpha: bool = True,
    n_targets_batch: int | None = None,
    n_targets_batch_refit: int | None = None,
    conservative: bool = False,
    Y_in_cpu: bool = False,
) -> tuple[Array, ...]:
    """Solve ridge regression with a grid search over alphas.

    Same arguments and same results as himalaya's ``solve_ridge_cv_svd``, but for
    the accuracy of float32 on ill-conditioned designs, which is better.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Features.
    Y : array of shape (n_samples, n_targets)
        Targets.
    alphas : float or array of shape (n_alphas,)
        Penalties, above 0.
    fit_intercept : bool
        Whether to centre on the training rows.
    score_func : callable
        himalaya.scoring's ``l2_neg_loss``, ``r2_score`` or ``correlation_score``.
    cv : int or scikit-learn splitter
        Its folds train on every row that they do not hold out.
    local_alpha, conservative : bool
        How penalties are chosen, see himalaya.
    n_targets_batch, n_targets_batch_refit : int or None
        Targets worked on at once.
    Y_in_cpu : bool
        Whether `Y` stays on the CPU.

    Returns
    -------
    best_alphas : array of shape (n_targets,)
    coefs : array of shape (n_features, n_targets)
        On the CPU.
    cv_scores : array of shape (1, n_targets)
    intercept : array of shape (n_targets,)
        Only with `fit_intercept`.

    Raises
    ------
    ValueError
        See `search_alphas`.
    """
    backend = get_backend()
    if np.ndim(alphas) == 0:
        alphas = np.full(1, float(alphas))
    X, alphas = backend.check_arrays(X, alphas)
    device = "cpu" if Y_in_cpu else getattr(X, "device", None)
    Y = backend.asarray(Y, dtype=precision(X), device=device)
    batch = n_targets_batch or BATCH
    found = search_alphas(
        X,
        Y,
        alphas,
        as_rows(check_cv(cv, Y), Y),
        fit_intercept=fit_intercept,
        score_func=score_func,
        local_alpha=local_alpha,
        conservative=conservative,
        n_targets_batch=batch,
    )
    coefficients = found.coefficients(n_targets_batch_refit or batch)
    cv_scores = backend.to_cpu(found.cv_scores)[None]
    if fit_intercept:
        return found.alphas, coefficients, cv_scores, found.intercept(coefficients)
    return found.alphas, coefficients, cv_scores


def register() -> None:
    """Offer the solver to himalaya, as ``RidgeCV(solver="gram")``."""
    RidgeCV.ALL_SOLVERS[NAME] = solve_ridge_cv_gram
