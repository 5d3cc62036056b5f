"""The encoding model of Oota et al. (ICLR 2025), for comparison with earlier work.

The definition is that of the published code (github.com/subbareddy248/
mllm_instruction_brain): features and responses z-scored in each split with
that split's own statistics; himalaya's ``RidgeCV`` with 60 penalties from 10 to
10^4, no intercept, five unshuffled folds, penalties chosen per voxel by squared
error; Pearson correlation and R2 on the shared images; the mean over layers.
Its differences from this workflow's default are listed in docs/statistics.md.
Do not use it for new results: test images reach their own scaling.
"""

from __future__ import annotations

import numpy as np
from himalaya.backend import set_backend
from himalaya.ridge import RidgeCV
from himalaya.scoring import l2_neg_loss
from numpy.typing import NDArray

from brainstruct.encoding.finite import require_finite
from brainstruct.encoding.scores import FitScores, pearson, r_squared

Array = NDArray[np.float32]

OOTA2025 = "oota2025"
"""Name of the preset in the configuration."""

ALPHAS = np.logspace(1, 4, 60)
FOLDS = 5
TARGETS_PER_BATCH = 500


def zscore(values: Array) -> Array:
    """Scale columns to mean 0 and standard deviation 1, with n in the denominator.

    Constant columns become 0.
    """
    centred = values - values.mean(0, dtype=np.float64)
    deviation = centred.std(0)
    constant = deviation <= 1e-6 * np.maximum(np.abs(values.mean(0, dtype=np.float64)), 1e-30)
    scaled = np.where(constant, 0.0, centred / np.where(constant, 1.0, deviation))
    single: Array = scaled.astype(np.float32)
    return single


def zscore_splits(values: Array, train: NDArray[np.bool_]) -> Array:
    """Scale each split with its own statistics, as the preset does.

    Parameters
    ----------
    values : array of shape (n_images, n_columns)
        Features or responses to all images.
    train : array of bool, shape (n_images,)
        Training images.
    """
    scaled = np.empty(values.shape, dtype=np.float32)
    for split in (train, ~train):
        scaled[split] = zscore(values[split])
    return scaled


def fit_oota2025(
    X_train: Array, Y_train: Array, X_test: Array, Y_test: Array, *, backend: str = "torch"
) -> FitScores:
    """Fit and score one feature space as the published pipeline does.

    Parameters
    ----------
    X_train, X_test : array of shape (n_images, n_features)
        Features.
    Y_train, Y_test : array of shape (n_images, n_voxels)
        Responses.
    backend : str
        Backend of himalaya.

    Returns
    -------
    FitScores
        Per voxel.

    Raises
    ------
    ValueError
        If anything is not finite.
    """
    require_finite(
        training_features=X_train,
        test_features=X_test,
        training_responses=Y_train,
        test_responses=Y_test,
    )
    engine = set_backend(backend)
    grid = ALPHAS.astype(np.float32)
    model = RidgeCV(
        alphas=grid,
        fit_intercept=False,
        cv=FOLDS,
        solver_params={
            "score_func": l2_neg_loss,
            "n_targets_batch": TARGETS_PER_BATCH,
            "n_targets_batch_refit": 100,
            "n_alphas_batch": 10,
        },
    )
    truth = zscore(Y_test)
    model.fit(engine.asarray(zscore(X_train)), engine.asarray(zscore(Y_train)))
    prediction = engine.to_numpy(model.predict(engine.asarray(zscore(X_test))))
    alpha = engine.to_numpy(model.best_alphas_).astype(np.float32)
    return FitScores(
        r=pearson(truth, prediction),
        r2=r_squared(truth, prediction),
        cv_score=engine.to_numpy(model.cv_scores_).reshape(-1).astype(np.float32),
        alpha=alpha,
        # himalaya returns penalties a rounding away from those it was given.
        at_edge=np.isclose(alpha, grid[0]) | np.isclose(alpha, grid[-1]),
        prediction=prediction,
    )
