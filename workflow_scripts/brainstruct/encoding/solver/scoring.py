"""Scores of all penalties from the residuals at a few.

Predictions of every penalty are combinations of those at the nodes, so squared
losses, variances and covariances are quadratic forms in one small matrix of
inner products per target; no prediction of another penalty is ever formed.
"""

from himalaya.backend import get_backend

from brainstruct.encoding.solver.arrays import Array, cast
from brainstruct.encoding.solver.lowrank import Nodes

SCORES = ("l2_neg_loss", "r2_score", "correlation_score")
"""As himalaya.scoring names and defines them."""


def score_nodes(stack: Array, nodes: Nodes, score: str) -> Array:
    """Score all penalties on one fold, (n_alphas, n_targets).

    `stack` (n_nodes + 1, n_targets, n_samples) has the residuals at the nodes, then the held-out
    targets, and is overwritten; `nodes` say how the other penalties follow; `score` is one of
    `SCORES`.
    """
    backend = get_backend()
    n_samples = stack.shape[2]
    weights = cast(nodes.weights, "float64", stack)
    if score == "correlation_score":
        stack -= stack.mean(2)[:, :, None]
        stack[:-1] *= -1
        stack[:-1] += stack[-1]  # predictions
        products = _inner_products(stack)
        variance = _quadratic(products[:, :-1, :-1], weights)
        covariance = weights.T @ products[:, :-1, -1].T
        scale = backend.sqrt(backend.clip(variance, 0, None) * products[:, -1, -1])
        scale[scale == 0] = backend.inf
        return covariance / scale
    if nodes.exact:
        residuals = stack[:-1]
        residuals *= residuals
        loss = cast(residuals.sum(2), "float64", stack)
    else:
        # the residual is y - sum_j w_j (y - r_j)
        rest = 1 - weights.sum(0)[None]
        products = _inner_products(stack)
        loss = _quadratic(products, backend.concatenate([weights, rest]))
        loss = backend.clip(loss, 0, None)
    if score == "l2_neg_loss":
        return -loss / n_samples
    held = stack[-1] - stack[-1].mean(1)[:, None]
    variance = cast((held**2).sum(1), "float64", stack)
    constant = variance == 0
    variance[constant] = 1
    found = 1 - loss / variance
    found[:, constant] = 0
    return found


def _inner_products(stack: Array) -> Array:
    """Inner products over samples, per target: (n_targets, n, n), float64."""
    backend = get_backend()
    rows = backend.transpose(stack, (1, 0, 2))
    return cast(backend.matmul(rows, backend.transpose(stack, (1, 2, 0))), "float64", stack)


def _quadratic(products: Array, weights: Array) -> Array:
    """w_a' Q_t w_a for all penalties a and targets t: (n_alphas, n_targets)."""
    n, n_alphas = weights.shape
    pairs = (weights[:, None] * weights[None]).reshape(n * n, n_alphas)
    return (products.reshape(-1, n * n) @ pairs).T
