"""From the configuration's ``encoding`` block to the function that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from brainstruct.encoding.preset import OOTA2025, fit_oota2025
from brainstruct.encoding.ridge import fit_ridge
from brainstruct.encoding.scores import FitScores

Fit = Callable[..., FitScores]
"""Called with X_train, Y_train, X_test, Y_test and, but for a preset, `weights` if there are."""


def choose_fit(encoding: Mapping[str, Any], *, seed: int, targets_per_batch: int) -> Fit:
    """Return the function that fits as configured.

    `encoding` is the block, see config/README.md; of a preset only its backend is read, and it has
    its own seed and batches. A `ValueError` if there is no such preset.
    """
    if encoding["preset"] == OOTA2025:
        return partial(fit_oota2025, backend=encoding["backend"])
    if encoding["preset"] is not None:
        raise ValueError(f"there is no preset {encoding['preset']!r}")
    grid = encoding["alphas"]
    return partial(
        fit_ridge,
        alphas=np.logspace(grid["log10_min"], grid["log10_max"], grid["count"]).tolist(),
        folds=encoding["folds"],
        seed=seed,
        alpha_score=encoding["alpha_score"],
        backend=encoding["backend"],
        solver=encoding["solver"],
        targets_per_batch=targets_per_batch,
    )
