"""Sums of products of float32 matrices, in float64.

One component that carries nearly all the variance, as in hidden states of
language models, drowns the others in the rounding of a float32 sum.
"""

from functools import reduce
from operator import iadd
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from brainstruct.encoding.columns import batches

Matrix = TypeVar("Matrix", NDArray[np.floating], torch.Tensor)

CHUNK = 1024
"""Rows that are held in float64 at once."""


def gram(X: Matrix) -> Matrix:
    """Return X'X in float64, see `cross_gram`."""
    return cross_gram(X, X)


def cross_gram(A: Matrix, B: Matrix) -> Matrix:
    """Return A'B, in float64, of arrays or tensors of any precision, both of a kind."""

    def product(rows: slice) -> Matrix:
        left = _wide(A[rows])
        # BLAS does half the work where it sees that both are the same.
        return left.T @ (left if A is B else _wide(B[rows]))

    return reduce(iadd, map(product, batches(len(A), CHUNK)))


def _wide(rows: Matrix) -> Matrix:
    return rows.to(torch.float64) if isinstance(rows, torch.Tensor) else rows.astype(np.float64)
