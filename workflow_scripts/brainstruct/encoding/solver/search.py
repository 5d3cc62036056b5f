"""Search for the best penalty of every target by cross-validation."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from himalaya.backend import get_backend
from numpy.typing import NDArray

from brainstruct.encoding.columns import batches
from brainstruct.encoding.solver.arrays import Array, Scratch, cast, packed, precision, product
from brainstruct.encoding.solver.decomposition import Decomposition, decompose
from brainstruct.encoding.solver.holdout import HeldOutRows, rows_at_once, shrinkage
from brainstruct.encoding.solver.lowrank import choose_nodes
from brainstruct.encoding.solver.scoring import SCORES, score_nodes

log = logging.getLogger(__name__)

Rows = NDArray[np.intp]

GAIN_LIMIT = 10.0
"""Largest amplification of rounding error that float32 is trusted with."""

FAINT = 0.1
"""Median shrinkage factor under which correlations are worked out in float64."""

TOLERANCE = {"float32": (1e-7, 1e-7), "float64": (1e-9, 1e-12)}
"""Errors of interpolation between penalties and of bands, relative to the targets."""

PARTS = 4
"""Blocks that a fold's losses are kept in as well, apart: how sure a mean over images is."""

BATCH = 512
"""Targets worked on at once."""


@dataclass(frozen=True)
class CrossValidatedRidge:
    """The outcome of a search, in arrays of the current backend.

    Each target's best penalty and its score, mean over folds, (n_targets,); and the scores of
    blocks of held-out images that are behind it, (n_blocks, n_targets): `PARTS` of each fold, or
    the folds themselves where a fold's score is no mean over images.
    """

    alphas: Array
    cv_scores: Array
    cv_blocks: Array
    _target_offset: Array
    _decomposition: Decomposition
    _projected: Array

    def predict(self, X: Array, targets: Any = slice(None), alphas: Array = None) -> Array:
        """Predict (n_samples, n_targets) from features, without ever forming coefficients.

        Of all targets at their best penalties, or of some at others, one each.
        """
        fitted = self._decomposition
        dtype = precision(fitted.X)
        projected = self._projected[targets]
        alphas = self.alphas[targets] if alphas is None else alphas
        rows = fitted.project(X, dtype)
        eigenvalues = cast(fitted.eigenvalues, "float64", fitted.X)
        found = get_backend().zeros_like(rows, shape=(X.shape[0], len(alphas)))
        for part in batches(len(alphas), BATCH):
            penalties = cast(alphas[part], "float64", fitted.X)[:, None]
            factors = cast(eigenvalues / (eigenvalues + penalties), dtype, fitted.X)
            product(rows, factors * projected[part], found[:, part])
        found += cast(self._target_offset[targets], dtype, rows)
        return found


def decompose_all(
    X: Array, folds: Sequence[Rows], weights: NDArray[np.floating] | None = None
) -> Decomposition:
    """Decompose all samples as the search over these folds wants it.

    X (n_samples, n_features) is of himalaya's current backend. Weights (n_samples,) say how much
    each sample's squared error counts in fits, 1 on average. A `ValueError` if no feature varies.
    """
    n_samples, n_features = X.shape
    n_train = n_samples - max(len(rows) for rows in folds)
    decomposition = decompose(X, n_features > n_train, weights)
    if not len(decomposition.eigenvalues):
        raise ValueError(f"none of the {n_features} features varies")
    return decomposition


def search_alphas(
    decomposition: Decomposition,
    Y: Array,
    alphas: Array,
    folds: Sequence[Rows],
    *,
    score: str = "l2_neg_loss",
    n_targets_batch: int = BATCH,
) -> CrossValidatedRidge:
    """Find the best penalty of every target and fit all samples with it, and an intercept.

    The identity behind it divides by I - H_ff, which enlarges rounding errors where held-out rows
    lie outside the span of the training rows and the penalty is small. The enlargement is measured;
    penalties that suffer from it are worked out in float64.

    The decomposition is that of all samples' features (`decompose_all`). Y (n_samples, n_targets)
    is of the same precision, on their device or on the CPU; penalties (`alphas`) are above 0.
    `folds` are the rows that each holds out: every row is held out once, and trained on else.
    `score` is one of `brainstruct.encoding.solver.scoring.SCORES`, in which held-out samples count
    alike.

    A `ValueError` if shapes disagree, or a penalty is not above 0.
    """
    backend = get_backend()
    X = decomposition.X
    penalties = backend.to_numpy(alphas).astype(np.float64)
    if Y.ndim != 2 or Y.shape[0] != X.shape[0]:
        raise ValueError(f"X of shape {tuple(X.shape)} and Y of shape {tuple(Y.shape)} disagree")
    if not (penalties > 0).all():
        raise ValueError(f"alphas must be above 0, the smallest is {penalties.min()}")
    if score not in SCORES:
        raise ValueError(f"score must be one of {', '.join(SCORES)}, not {score}")
    offset = cast(np.zeros(Y.shape[1]), "float64", X)
    for targets in batches(Y.shape[1], n_targets_batch):
        offset[targets] = (
            cast(Y[:, targets], "float64", X) * decomposition.root[:, None] ** 2
        ).mean(0)
    search = _Search(decomposition, Y, offset, folds, score, n_targets_batch)
    scores = backend.zeros_like(X, shape=(len(search.shares), len(penalties), Y.shape[1]))
    projected = search.run(penalties, scores)
    best, cv_scores = _best(scores, search.shares, alphas)
    blocks = backend.stack([backend.apply_argmax(block, best, 0) for block in scores])
    return CrossValidatedRidge(alphas[best], cv_scores, blocks, offset, decomposition, projected)


def _best(scores: Array, weights: Sequence[float], alphas: Array) -> tuple[Array, Array]:
    """Return the best penalties' positions and mean scores; of equals the largest, as himalaya."""
    backend = get_backend()
    mean = cast(np.zeros(tuple(scores.shape[1:])), "float64", scores)
    for block, weight in zip(scores, weights, strict=True):
        mean += cast(block, "float64", scores) * weight
    mean = cast(mean, precision(scores), scores)
    mean += (backend.log(alphas) * 1e-10)[:, None]
    best = backend.argmax(mean, 0)
    return best, backend.apply_argmax(mean, best, 0)


@dataclass(frozen=True)
class _Search:
    decomposition: Decomposition
    Y: Array
    offset: Array
    folds: Sequence[Rows]
    score: str
    batch: int
    scratch: Scratch = field(default_factory=Scratch)

    @cached_property
    def parts(self) -> list[list[slice]]:
        """The blocks of every fold's held-out rows."""
        count = PARTS if self.score == "l2_neg_loss" else 1
        return [list(batches(len(rows), -(-len(rows) // count))) for rows in self.folds]

    @property
    def shares(self) -> list[float]:
        """What each block counts in the mean over folds."""
        return [
            (part.stop - part.start) / len(rows) / len(self.folds)
            for rows, parts in zip(self.folds, self.parts, strict=True)
            for part in parts
        ]

    def run(self, penalties: NDArray[np.float64], scores: Array) -> Array:
        """Fill `scores`; return the projected targets, shape (n_targets, r)."""
        dtype = precision(self.decomposition.X)
        order = np.argsort(penalties)
        left = self._left(dtype)
        low, high = self._single_range(penalties[order], left)
        chosen, rest = order[low:high], np.concatenate([order[:low], order[high:]])
        projected = self._project(left)
        lost = np.array([], dtype=np.intp)
        if len(chosen):
            lost = self._fill(penalties, chosen, left, projected, scores)
        if dtype != "float64" and (len(rest) or len(lost)):
            rest = np.concatenate([rest, lost])
            log.debug("%d of %d penalties are worked out in float64", len(rest), len(order))
            del left
            self.scratch.release()
            left = self._left("float64")
            lost = self._fill(penalties, rest, left, self._project(left), scores)
        if len(lost):
            log.warning(
                "penalties %s cannot be evaluated even in float64 and are left out",
                ", ".join(f"{alpha:g}" for alpha in penalties[lost]),
            )
            for number in lost:
                scores[:, int(number)] = -1e5  # never chosen, as in himalaya
        self.scratch.release()
        return projected

    def _single_range(self, ascending: NDArray[np.float64], left: list[Array]) -> tuple[int, int]:
        """Range of the penalties for which the data's own precision is enough."""
        low, high = 0, len(ascending)
        if precision(left[0]) == "float64":
            return low, high
        trial = 0
        while low < high:  # the first trial nearly always ends it
            if self._gain(ascending[trial], left) <= GAIN_LIMIT:
                high = trial
            else:
                low = trial + 1
            trial = (low + high) // 2
        high = len(ascending)
        if self.score == "correlation_score":
            # predictions far smaller than the targets are lost in y - (y - prediction)
            # (the median: one outlying component says nothing about them)
            middle = float(np.median(self.decomposition.eigenvalues))
            size = middle / (middle + ascending)
            high = max(low, int((size > FAINT).sum()))
        return low, high

    def _left(self, dtype: str) -> list[Array]:
        return [self.decomposition.left(rows, dtype) for rows in self.folds]

    def _gain(self, alpha: float, left: list[Array]) -> float:
        factors = shrinkage(self.decomposition, np.array([alpha]), TOLERANCE["float32"][1])
        root, n_samples = self.decomposition.root, len(self.Y)
        folds = (
            HeldOutRows(part, root[rows], factors, n_samples, self.scratch)
            for part, rows in zip(left, self.folds, strict=True)
        )
        return max(float(fold.gain[0]) for fold in folds)

    def _project(self, left: list[Array]) -> Array:
        """Targets times U, shape (n_targets, r)."""
        n_targets = self.Y.shape[1]
        found = get_backend().zeros_like(left[0], shape=(n_targets, left[0].shape[1]))
        for rows, part in zip(self.folds, left, strict=True):
            own, across = self.Y[rows], packed(part.T)
            for targets in batches(n_targets, self.batch):
                held = self._held(own, rows, targets, precision(part))
                added = self.scratch.take("added", (len(held), part.shape[1]), part)
                product(held, across, added)
                found[targets] += added
        return found

    def _held(self, own: Array, rows: Rows, targets: slice, dtype: str) -> Array:
        """Centre held-out rows of Y, and scale them by their root; shape (n_targets, n_held)."""
        part = cast(own[:, targets], "float64", self.decomposition.X)
        shape = part.shape[1], part.shape[0]
        held = get_backend().zeros_like(part, shape=shape, dtype=dtype)
        held[...] = ((part - self.offset[targets]) * self.decomposition.root[rows, None]).T
        return held

    def _fill(
        self,
        penalties: NDArray[np.float64],
        chosen: NDArray[np.intp],
        left: list[Array],
        projected: Array,
        scores: Array,
    ) -> NDArray[np.intp]:
        """Score the chosen penalties in the precision of `left`; return those that failed."""
        backend = get_backend()
        X = self.decomposition.X
        eigenvalues = self.decomposition.eigenvalues
        dtype = precision(left[0])
        between, within = TOLERANCE[dtype]
        alphas = penalties[chosen]
        row_length = float(eigenvalues.sum()) / len(self.Y)
        nodes = choose_nodes(alphas, float(eigenvalues[-1]), row_length, between)
        factors = shrinkage(self.decomposition, alphas[nodes.index], within)
        n_parts = sum(band.basis.shape[1] for band in factors.bands)
        failed = np.zeros(len(nodes.index), dtype=bool)
        place = backend.asarray(chosen, device=getattr(X, "device", None))
        first = 0  # block of the fold
        for number, rows in enumerate(self.folds):
            root = self.decomposition.root[rows]
            fold = HeldOutRows(left[number], root, factors, len(self.Y), self.scratch)
            root, n_fit = cast(root, dtype, X), len(self.Y) - float((root**2).sum())
            own = self.Y[rows]
            batch = min(self.batch, rows_at_once(n_parts, len(rows)))
            for targets in batches(self.Y.shape[1], batch):
                held = self._held(own, rows, targets, dtype)
                stack = self.scratch.take("stack", (len(nodes.index) + 1, *held.shape), held)
                fold.residuals(projected[targets], held, stack[:-1])
                # nodes give predictions about the training rows' mean
                stack[-1] = held / root
                stack[-1] += ((held * root).sum(1) / n_fit)[:, None]
                for row, part in enumerate(self.parts[number], first):
                    found = score_nodes(stack[:, :, part], nodes, self.score)
                    scores[row, place, targets] = cast(found, precision(X), X)
            first += len(self.parts[number])
            failed |= ~fold.invertible
            del fold  # before the next one is made
        lost: NDArray[np.intp] = chosen[(nodes.weights[failed] != 0).any(0)]
        return lost
