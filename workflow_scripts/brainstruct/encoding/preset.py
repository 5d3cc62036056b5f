"""The encoding model of Oota et al. (ICLR 2025), for comparison with earlier work.

The definition is that of the published code (github.com/subbareddy248/
mllm_instruction_brain): features and responses z-scored in each split with
that split's own statistics; himalaya's ``RidgeCV`` with 60 penalties from 10 to
10^4, no intercept, five unshuffled folds, penalties chosen per voxel by squared
error; Pearson correlation and R2 on the shared images; the mean over layers.
Its differences from this workflow's default are listed in docs/statistics.md.
Do not use it for new results: test images reach their own scaling.
"""

from functools import partial

import numpy as np
from himalaya.scoring import l2_neg_loss
from numpy.typing import NDArray

from brainstruct.encoding.columns import FEATURE_ROUNDING, Array, zscore
from brainstruct.encoding.ridge import fit_and_score, require_finite_fit, solve_by_himalaya
from brainstruct.encoding.scores import FitScores

OOTA2025 = "oota2025"
"""Name of the preset in the configuration."""

ALPHAS = np.logspace(1, 4, 60)
FOLDS = 5

_solve = partial(
    solve_by_himalaya,
    fit_intercept=False,
    cv=FOLDS,
    solver_params={
        "score_func": l2_neg_loss,
        "n_targets_batch": 500,
        "n_targets_batch_refit": 100,
        "n_alphas_batch": 10,
    },
)


def zscore_splits(values: Array, train: NDArray[np.bool_]) -> Array:
    """Scale training images, `train` (n_images,), and all others with statistics of their own."""
    scaled = np.empty(values.shape, dtype=np.float32)
    for split in (train, ~train):
        scaled[split] = zscore(values[split], FEATURE_ROUNDING)[0]
    return scaled


def fit_oota2025(
    X_train: Array, Y_train: Array, X_test: Array, Y_test: Array, *, backend: str = "torch"
) -> FitScores:
    """Fit and score one feature space as the published pipeline does.

    See `brainstruct.encoding.ridge.fit_ridge` for what is given and raised.
    """
    require_finite_fit(X_train, Y_train, X_test, Y_test)
    X, Y, X_test, truth = (
        zscore(part, FEATURE_ROUNDING)[0] for part in (X_train, Y_train, X_test, Y_test)
    )
    return fit_and_score(X, Y, X_test, truth, _solve, ALPHAS.tolist(), backend)
