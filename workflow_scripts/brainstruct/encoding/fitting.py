"""From the configuration's ``encoding`` block to the function that fits."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from brainstruct.encoding.preset import OOTA2025, start_oota2025
from brainstruct.encoding.ridge import Finish, start_ridge

Start = Callable[..., Finish]
"""Called with X_train, X_test and, but for a preset, `weights` if there are."""


def choose_backend(wanted: str, gpus: int) -> str:
    """Return what computes, as himalaya names it: ``numpy``, ``torch`` or ``torch_cuda``.

    `wanted` may be ``auto``: the GPU that the job holds, of `gpus` that it asked for and where the
    machine has one; else the CPU. The answers are the same: single precision is not shortened
    in products from here on, whatever the environment says (TF32 keeps 10 of 23 bits).
    """
    torch.set_float32_matmul_precision("highest")
    if wanted == "auto":
        return "torch_cuda" if gpus and torch.cuda.is_available() else "torch"
    return wanted


def choose_fit(
    encoding: Mapping[str, Any], *, seed: int, targets_per_batch: int, backend: str
) -> Start:
    """Return the function that starts a fit as configured.

    `encoding` is the block, see config/README.md; a preset has its own settings, seed and batches.
    A `ValueError` if there is no such preset.
    """
    if encoding["preset"] == OOTA2025:
        return partial(start_oota2025, backend=backend)
    if encoding["preset"] is not None:
        raise ValueError(f"there is no preset {encoding['preset']!r}")
    grid = encoding["alphas"]
    return partial(
        start_ridge,
        alphas=np.logspace(grid["log10_min"], grid["log10_max"], grid["count"]).tolist(),
        folds=encoding["folds"],
        seed=seed,
        alpha_score=encoding["alpha_score"],
        backend=backend,
        solver=encoding["solver"],
        targets_per_batch=targets_per_batch,
    )
