"""Search for the best penalty of every target by cross-validation."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import numpy as np
from himalaya.backend import get_backend
from himalaya.kernel_ridge._random_search import _select_best_alphas
from himalaya.scoring import correlation_score, l2_neg_loss
from numpy.typing import NDArray

from brainstruct.encoding.solver.arrays import Array, Scratch, cast, empty, precision
from brainstruct.encoding.solver.decomposition import Decomposition, decompose
from brainstruct.encoding.solver.folds import Rows, held_out_rows
from brainstruct.encoding.solver.holdout import HeldOutRows, bands_of, rows_at_once, shrinkage
from brainstruct.encoding.solver.lowrank import choose_nodes
from brainstruct.encoding.solver.scoring import check_score, impossible, score_nodes

log = logging.getLogger(__name__)

GAIN_LIMIT = 10.0
"""Largest amplification of rounding error that float32 is trusted with."""

FAINT = 0.1
"""Median shrinkage factor under which correlations are worked out in float64."""

TOLERANCE = {"float32": (1e-7, 1e-7), "float64": (1e-9, 1e-12)}
"""Errors of interpolation between penalties and of bands, relative to the targets."""

BATCH = 512
"""Targets worked on at once."""


@dataclass(frozen=True)
class CrossValidatedRidge:
    """The outcome of a search.

    Attributes
    ----------
    alphas : array of shape (n_targets,)
        Best penalties, of the current backend.
    cv_scores : array of shape (n_targets,)
        Their scores, mean over folds.
    target_offset : array of shape (n_targets,)
        Means of the targets; 0 without intercept. float64.
    """

    alphas: Array
    cv_scores: Array
    target_offset: Array
    _decomposition: Decomposition
    _projected: Array

    def coefficients(self, batch: int = BATCH) -> Array:
        """Return the coefficients of the fit to all samples, on the CPU.

        Returns
        -------
        array of shape (n_features, n_targets)
        """
        backend = get_backend()
        X = self._decomposition.X
        found = backend.zeros_like(X, shape=(X.shape[1], len(self.alphas)), device="cpu")
        right = self._decomposition.right(precision(X))
        for targets in _batches(len(self.alphas), batch):
            found[:, targets] = backend.to_cpu(right(self._shrunk(targets)))
        return found

    def intercept(self, coefficients: Array) -> Array:
        """Return the intercepts that belong to coefficients, shape (n_targets,)."""
        backend = get_backend()
        offset = cast(self._decomposition.offset, precision(coefficients), self._decomposition.X)
        return (
            backend.to_cpu(cast(self.target_offset, precision(coefficients), offset))
            - backend.to_cpu(offset) @ coefficients
        )

    def predict(self, X: Array, batch: int = BATCH) -> Array:
        """Predict without ever forming coefficients.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Of the current backend.
        batch : int
            Targets worked on at once.

        Returns
        -------
        array of shape (n_samples, n_targets)
        """
        dtype = precision(self._decomposition.X)
        rows = self._decomposition.project(X, dtype)
        found = empty((X.shape[0], len(self.alphas)), rows)
        for targets in _batches(len(self.alphas), batch):
            found[:, targets] = rows @ self._shrunk(targets)
        found += cast(self.target_offset, dtype, rows)
        return found

    def _shrunk(self, targets: slice) -> Array:
        """Shrunken projections of targets, shape (r, n_targets)."""
        X = self._decomposition.X
        eigenvalues = cast(self._decomposition.eigenvalues, "float64", X)[:, None]
        alphas = cast(self.alphas[targets], "float64", X)
        factors = cast(eigenvalues / (eigenvalues + alphas), precision(X), X)
        return factors * self._projected[targets].T


def search_alphas(
    X: Array,
    Y: Array,
    alphas: Array,
    splits: list[tuple[Rows, Rows]],
    *,
    fit_intercept: bool = True,
    score_func: object = l2_neg_loss,
    local_alpha: bool = True,
    conservative: bool = False,
    n_targets_batch: int = BATCH,
) -> CrossValidatedRidge:
    """Find the best penalty of every target and fit all samples with it.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Design matrix, of himalaya's current backend.
    Y : array of shape (n_samples, n_targets)
        Targets, of the same precision; on the same device or on the CPU.
    alphas : array of shape (n_alphas,)
        Penalties, above 0.
    splits : list of (training rows, held-out rows)
        Every fold trains on all the rows that it does not hold out.
    fit_intercept : bool
        Whether X and Y are centred on the training rows of each fold, as
        himalaya does; else they are used as they are.
    score_func : callable
        One of himalaya.scoring's ``l2_neg_loss``, ``r2_score``,
        ``correlation_score``.
    local_alpha : bool
        Whether each target has a penalty of its own.
    conservative : bool
        Whether to take the largest penalty within one standard deviation.
    n_targets_batch : int
        Targets worked on at once.

    Raises
    ------
    ValueError
        If shapes, penalties, folds or score are not as said.

    Notes
    -----
    The identity behind it divides by I - H_ff, which enlarges rounding errors
    where held-out rows lie outside the span of the training rows and the penalty
    is small. The enlargement is measured; penalties that suffer from it are
    worked out in float64.
    """
    backend = get_backend()
    penalties = backend.to_numpy(alphas).astype(np.float64)
    n_samples, n_features = X.shape
    if Y.ndim != 2 or Y.shape[0] != n_samples:
        raise ValueError(f"X of shape {tuple(X.shape)} and Y of shape {tuple(Y.shape)} disagree")
    if not (penalties > 0).all():
        raise ValueError(f"alphas must be above 0, the smallest is {penalties.min()}")
    check_score(score_func)
    folds = held_out_rows(splits, n_samples)
    n_train = n_samples - max(len(rows) for rows in folds)
    decomposition = decompose(X, fit_intercept, dual=n_features > n_train)
    if not len(decomposition.eigenvalues):
        raise ValueError(f"none of the {n_features} features varies")
    offset = cast(np.zeros(Y.shape[1]), "float64", X)
    if fit_intercept:
        for targets in _batches(Y.shape[1], n_targets_batch):
            offset[targets] = cast(Y[:, targets], "float64", X).mean(0)
    search = _Search(decomposition, Y, offset, folds, fit_intercept, score_func, n_targets_batch)
    scores = backend.zeros_like(X, shape=(len(folds), len(penalties), Y.shape[1]))
    projected = search.run(penalties, scores)
    best, cv_scores = _select_best_alphas(scores, alphas, local_alpha, conservative)
    return CrossValidatedRidge(alphas[best], cv_scores, offset, decomposition, projected)


@dataclass(frozen=True)
class _Search:
    decomposition: Decomposition
    Y: Array
    offset: Array
    folds: list[Rows]
    fit_intercept: bool
    score_func: object
    batch: int
    scratch: Scratch = field(default_factory=Scratch)

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
            impossible(scores, lost)
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
        if self.score_func is correlation_score:
            # predictions far smaller than the targets are lost in y - (y - prediction)
            # (the median: one outlying component says nothing about them)
            middle = float(np.median(self.decomposition.eigenvalues))
            size = middle / (middle + ascending)
            high = max(low, int((size > FAINT).sum()))
        return low, high

    def _left(self, dtype: str) -> list[Array]:
        return [self.decomposition.left(rows, dtype) for rows in self.folds]

    def _gain(self, alpha: float, left: list[Array]) -> float:
        factors = shrinkage(self.decomposition, np.array([alpha]))
        bands = bands_of(self.decomposition, factors, TOLERANCE["float32"][1])
        folds = (HeldOutRows(rows, factors, bands, self.n, self.scratch) for rows in left)
        return max(float(fold.gain[0]) for fold in folds)

    @property
    def n(self) -> int | None:
        """Number of samples if there is an intercept."""
        return len(self.Y) if self.fit_intercept else None

    def _project(self, left: list[Array]) -> Array:
        """Targets times U, shape (n_targets, r)."""
        n_targets = self.Y.shape[1]
        found = get_backend().zeros_like(left[0], shape=(n_targets, left[0].shape[1]))
        for rows, part in zip(self.folds, left, strict=True):
            own = self.Y[rows]
            for targets in _batches(n_targets, self.batch):
                found[targets] += self._held(own, targets, precision(part)) @ part
        return found

    def _held(self, own: Array, targets: slice, dtype: str) -> Array:
        """Centre held-out rows of Y; shape (n_targets, n_held)."""
        part = cast(own[:, targets], "float64", self.decomposition.X)
        held = empty((part.shape[1], part.shape[0]), cast(part[:1, :1], dtype, part))
        held[...] = (part - self.offset[targets]).T
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
        factors = shrinkage(self.decomposition, alphas[nodes.index])
        bands = bands_of(self.decomposition, factors, within)
        n_parts = sum(band.basis.shape[1] for band in bands)
        failed = np.zeros(len(nodes.index), dtype=bool)
        place = backend.asarray(chosen, device=getattr(X, "device", None))
        for number, rows in enumerate(self.folds):
            fold = HeldOutRows(left[number], factors, bands, self.n, self.scratch)
            own = self.Y[rows]
            batch = min(self.batch, rows_at_once(n_parts, len(rows)))
            for targets in _batches(self.Y.shape[1], batch):
                held = self._held(own, targets, dtype)
                stack = self.scratch.take("stack", (len(nodes.index) + 1, *held.shape), held)
                fold.residuals(projected[targets], held, stack[:-1])
                stack[-1] = held
                if self.fit_intercept:  # nodes give predictions about the training rows' mean
                    stack[-1] += (held.sum(1) / (len(self.Y) - len(rows)))[:, None]
                found = score_nodes(stack, nodes, self.score_func)
                scores[number, place, targets] = cast(found, precision(X), X)
            failed |= ~fold.invertible
        lost: NDArray[np.intp] = chosen[(nodes.weights[failed] != 0).any(0)]
        return lost


def _batches(size: int, batch: int) -> list[slice]:
    return [slice(start, min(start + batch, size)) for start in range(0, size, batch)]
