"""From the configuration's ``encoding`` block to the function that fits."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from brainstruct.encoding.columns import Array
from brainstruct.encoding.preset import OOTA2025, start_oota2025, targets_of_oota2025
from brainstruct.encoding.ridge import Finish, Targets, start_ridge, targets_of

log = logging.getLogger(__name__)


class Fit(NamedTuple):
    """The two steps of fits: `start` with X_train, X_test and, but for a preset, `weights`.

    It returns what takes `targets` of Y_train and Y_test, which are those of all layers.
    """

    start: Callable[..., Finish]
    targets: Callable[[Array, Array], Targets]


def choose_backend(wanted: str, gpus: int) -> str:
    """Return what computes, as himalaya names it: ``numpy``, ``torch`` or ``torch_cuda``.

    `wanted` may be ``auto``: the GPU that the job holds, of `gpus` that it asked for and where the
    machine has one; else the CPU. The answers are the same: single precision is not shortened
    in products from here on, whatever the environment says (TF32 keeps 10 of 23 bits).
    """
    torch.set_float32_matmul_precision("highest")
    if wanted == "auto":
        if gpus and not torch.cuda.is_available():
            log.warning("the job asked for a GPU, of which PyTorch sees none: it uses the CPU")
        return "torch_cuda" if gpus and torch.cuda.is_available() else "torch"
    return wanted


def choose_fit(
    encoding: Mapping[str, Any], *, seed: int, targets_per_batch: int, backend: str
) -> Fit:
    """Return what fits as configured.

    `encoding` is the block, see config/README.md; a preset has its own settings, seed and batches.
    A `ValueError` if there is no such preset.
    """
    if encoding["preset"] == OOTA2025:
        return Fit(
            partial(start_oota2025, backend=backend), partial(targets_of_oota2025, backend=backend)
        )
    if encoding["preset"] is not None:
        raise ValueError(f"there is no preset {encoding['preset']!r}")
    grid = encoding["alphas"]
    start = partial(
        start_ridge,
        alphas=np.logspace(grid["log10_min"], grid["log10_max"], grid["count"]).tolist(),
        folds=encoding["folds"],
        seed=seed,
        alpha_score=encoding["alpha_score"],
        backend=backend,
        solver=encoding["solver"],
        targets_per_batch=targets_per_batch,
    )
    return Fit(start, partial(targets_of, backend=backend))
