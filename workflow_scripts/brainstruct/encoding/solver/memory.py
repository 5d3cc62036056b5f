"""How much memory a search takes, at most."""

from __future__ import annotations

from brainstruct.encoding.solver.decomposition import CHUNK
from brainstruct.encoding.solver.holdout import SCRATCH

NODES = {"float32": 32, "float64": 48}
"""Penalties evaluated, at most, of a grid of many: 26 and 37 span six decades."""

RANK = {"float32": 8, "float64": 16}
"""Functions per band, at most, on average over components: 5 and 12 are usual."""

PARTS = 100
"""Functions of all bands together, at most: 40 to 90 are usual."""


LIBRARIES = 32 << 20
"""Bytes for the buffers of matrix products and for what the allocator cannot give back."""


def most_bytes(
    n_samples: int,
    n_features: int,
    n_targets: int,
    n_alphas: int,
    n_folds: int,
    *,
    n_targets_batch: int = 512,
    double: bool = False,
) -> int:
    """Bound the memory of `search_alphas` and of the coefficients, beyond X and Y.

    Parameters
    ----------
    n_samples, n_features, n_targets, n_alphas, n_folds : int
        Size of the problem.
    n_targets_batch : int
        Targets worked on at once.
    double : bool
        Whether to allow for penalties that float32 is not enough for, or for
        float64 data.

    Returns
    -------
    int
        Bytes. The largest of three stages: diagonalising the smaller Gram matrix
        in float64; scoring fold by fold; multiplying coefficients out.

    Notes
    -----
    No term has more than one of penalties, samples and targets as factors, but
    for the scores (folds x penalties x targets).
    """
    dtype, size = ("float64", 8) if double else ("float32", 4)
    held = -(-n_samples // n_folds)
    square = n_features if n_features <= n_samples - held else n_samples
    nodes = min(n_alphas, NODES[dtype])
    chunks = 3 * 8 * max(min(CHUNK, n_samples) * n_features, n_samples * min(CHUNK, n_features))
    decompose = 4 * 8 * square**2
    # eigenvectors; projected targets; scores, and their mean over folds
    kept = 8 * square**2 + size * n_targets * (square + (n_folds + 2) * n_alphas)
    left = size * n_samples * square
    fold = size * held * (n_targets + RANK[dtype] * square + nodes * held)
    batch = min(n_targets_batch, n_targets) * held
    scratch = size * (min(SCRATCH, PARTS * batch) + 2 * (nodes + 1) * batch)
    search = kept + left + fold + scratch
    if double:  # what was worked out in float32 before
        search += 4 * n_targets * square
    refit = kept + size * n_features * (n_targets + square)
    return max(decompose, search, refit) + chunks + LIBRARIES
