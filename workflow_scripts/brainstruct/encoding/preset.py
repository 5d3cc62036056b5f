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

from brainstruct.encoding.columns import FEATURE_ROUNDING, Array, require_finite, zscore
from brainstruct.encoding.ridge import Finish, solve_by_himalaya, start_fit, targets_of

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


def _scaled(values: Array) -> Array:
    return zscore(values, FEATURE_ROUNDING)[0]


targets_of_oota2025 = partial(targets_of, scale=_scaled)
"""Bring responses to where they are fitted, scaled."""


def zscore_splits(values: Array, train: NDArray[np.bool_]) -> Array:
    """Scale training images, `train` (n_images,), and all others with statistics of their own."""
    scaled = np.empty(values.shape, dtype=np.float32)
    for split in (train, ~train):
        scaled[split] = _scaled(values[split])
    return scaled


def start_oota2025(X_train: Array, X_test: Array, *, backend: str = "torch") -> Finish:
    """Start a fit to one feature space as the published pipeline does it.

    See `brainstruct.encoding.ridge.start_ridge` for what is given, returned and raised.
    """
    require_finite(training_features=X_train, test_features=X_test)
    return start_fit(_scaled(X_train), _scaled(X_test), _solve, ALPHAS.tolist(), backend)
