"""The library's ridge solver and himalaya's own, called alike; and the memory ours may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import himalaya.scoring
from himalaya.backend import get_backend
from himalaya.ridge import RidgeCV

from brainstruct.encoding.gram import CHUNK
from brainstruct.encoding.preset import start_oota2025, targets_of_oota2025
from brainstruct.encoding.ridge import Finish, Targets, start_ridge, targets_of
from brainstruct.encoding.scores import FitScores
from brainstruct.encoding.solver import decompose_all, search_alphas
from brainstruct.encoding.solver.arrays import precision
from brainstruct.encoding.solver.holdout import SCRATCH
from brainstruct.encoding.solver.search import PARTS as BLOCKS

NODES = {"float32": 32, "float64": 48}
"""Penalties evaluated, at most, of a grid of many: 26 and 37 span six decades."""

RANK = {"float32": 8, "float64": 16}
"""Functions per band, at most, on average over components: 5 and 12 are usual."""

PARTS = 100
"""Functions of all bands together, at most: 40 to 90 are usual."""

LIBRARIES = 32 << 20
"""Bytes for the buffers of matrix products and for what the allocator cannot give back."""


class Found(NamedTuple):
    """Penalties and scores (n_targets,), and the function that predicts from features."""

    alphas: Any
    cv_scores: Any
    predict: Callable[[Any], Any]


def fit(
    solver: str, X: Any, Y: Any, alphas: Any, cv: Any, score: str = "l2_neg_loss", batch: int = 500
) -> Found:
    """Search with ``gram`` or ``himalaya``: arrays of the current backend, with an intercept."""
    backend = get_backend()
    X, Y = backend.asarray(X), backend.asarray(Y)
    alphas = backend.asarray(alphas, dtype=precision(X), device=getattr(X, "device", None))
    if solver == "gram":
        folds = [held for _, held in cv.split(Y)]
        found = search_alphas(
            decompose_all(X, folds), Y, alphas, folds, score=score, n_targets_batch=batch
        )
        return Found(found.alphas, found.cv_scores, found.predict)
    function = getattr(himalaya.scoring, score)
    params = {"score_func": function, "n_targets_batch": batch, "warn": False}
    model = RidgeCV(alphas, True, "svd", params, cv).fit(X, Y)
    return Found(model.best_alphas_, model.cv_scores_, model.predict)


def at_once(
    start: Callable[..., Finish], targets: Callable[..., Targets]
) -> Callable[..., FitScores]:
    """Take both steps of a fit."""

    def fit(X: Any, Y: Any, X_test: Any, Y_test: Any, *grid: Any, **options: Any) -> FitScores:
        where = {"backend": options["backend"]} if "backend" in options else {}
        return start(X, X_test, *grid, **options)(targets(Y, Y_test, **where))

    return fit


fit_ridge = at_once(start_ridge, targets_of)
fit_oota2025 = at_once(start_oota2025, targets_of_oota2025)


def most_bytes(
    n_samples: int,
    n_features: int,
    n_targets: int,
    n_alphas: int,
    n_folds: int,
    *,
    n_targets_batch: int = 500,
    double: bool = False,
) -> int:
    """Bound the memory of `search_alphas` beyond X and Y, in bytes.

    The larger of two stages: diagonalising the smaller Gram matrix in float64, and
    scoring fold by fold. `double` is for penalties that float32 is not enough for,
    and for float64 data. No term has more than one of penalties, samples and targets
    as factors, but for the scores (blocks x penalties x targets).
    """
    dtype, size = ("float64", 8) if double else ("float32", 4)
    held = -(-n_samples // n_folds)
    square = n_features if n_features <= n_samples - held else n_samples
    nodes = min(n_alphas, NODES[dtype])
    chunks = 3 * 8 * max(min(CHUNK, n_samples) * n_features, n_samples * min(CHUNK, n_features))
    decompose = 4 * 8 * square**2
    # eigenvectors; projected targets; scores of blocks, and their mean in float64
    blocks = n_folds * BLOCKS + 6
    kept = 8 * square**2 + size * n_targets * (square + blocks * n_alphas)
    left = size * n_samples * square
    # inverses of a fold are held twice: where they are made, and packed for products
    fold = size * held * (n_targets + RANK[dtype] * square + 2 * nodes * held)
    batch = min(n_targets_batch, n_targets) * held
    scratch = size * (min(SCRATCH, PARTS * batch) + 2 * (nodes + 1) * batch)
    scratch += size * min(n_targets_batch, n_targets) * square
    search = kept + left + fold + scratch
    if double:  # what was worked out in float32 before
        search += 4 * n_targets * square
    return max(decompose, search) + chunks + LIBRARIES
