"""The design matrix's singular value decomposition by way of its smaller Gram matrix.

Sums of products, the eigendecomposition and the left singular vectors are in float64
whatever the precision of the data, for the reason that `brainstruct.encoding.gram` gives.
"""

from dataclasses import dataclass

import numpy as np
from himalaya.backend import get_backend
from numpy.typing import NDArray

from brainstruct.encoding.columns import batches
from brainstruct.encoding.eigen import eigh
from brainstruct.encoding.gram import CHUNK
from brainstruct.encoding.solver.arrays import Array, cast, on_cpu


@dataclass(frozen=True)
class Decomposition:
    """diag(root) (X - offset) = U diag(sqrt(eigenvalues)) V', with r components.

    `X` (n_samples, n_features) is as given, `root` (n_samples,) the square roots of the
    samples' weights, and `offset` the weighted column means. `eigenvalues` (r,) ascend and
    are on the CPU. `vectors` are V, or if `dual` U, which then spans all but `root`, null
    components included. All but X in float64.
    """

    X: Array
    root: Array
    offset: Array
    eigenvalues: NDArray[np.float64]
    vectors: Array
    dual: bool

    def left(self, rows: Array, dtype: str) -> Array:
        """Return rows of U, shape (len(rows), r)."""
        if self.dual:
            return cast(self.vectors[rows], dtype, self.X)
        root = cast(self.root[rows], dtype, self.X)[:, None]
        parts = [
            self.project(self.X[rows[part]], dtype) * root[part]
            for part in batches(len(rows), CHUNK)
        ]
        return parts[0] if len(parts) == 1 else get_backend().concatenate(parts)

    def project(self, rows: Array, dtype: str) -> Array:
        """Return (rows - offset) V diag(1/sqrt(eigenvalues)), 0 for null components.

        `rows` are of this or another design matrix. The work is done in float64.
        """
        inner = _centred(rows, self.offset)
        if self.dual:
            kernel = cast(np.zeros((rows.shape[0], self.X.shape[0])), "float64", self.X)
            for columns in batches(self.X.shape[1], CHUNK):
                kernel += inner[:, columns] @ _centred(self.X[:, columns], self.offset[columns]).T
            inner = kernel * self.root
        kept = self.eigenvalues > 0
        exponent = -1.0 if self.dual else -0.5
        scale = np.where(kept, np.where(kept, self.eigenvalues, 1.0) ** exponent, 0.0)
        return cast((inner @ self.vectors) * cast(scale, "float64", self.X), dtype, self.X)


def _centred(rows: Array, offset: Array) -> Array:
    """Subtract the column means in float64."""
    return cast(rows, "float64", rows) - offset


def decompose(X: Array, dual: bool, weights: NDArray[np.floating] | None = None) -> Decomposition:
    """Decompose a design matrix by X X' (`dual`) or X' X.

    The latter leaves out the components that vanish in float64. Weights of the samples are 1 on
    average, and 1 by default.
    """
    n, p = X.shape
    root = cast(np.sqrt(np.ones(n) if weights is None else weights), "float64", X)
    scale = root[:, None]
    offset = cast(np.zeros(p), "float64", X)
    for rows in batches(n, CHUNK):
        offset += (cast(X[rows], "float64", X) * scale[rows] ** 2).sum(0)
    offset /= n
    if not dual:
        gram = cast(np.zeros((p, p)), "float64", X)
        for rows in batches(n, CHUNK):
            _add_gram(gram, _centred(X[rows], offset) * scale[rows])
        eigenvalues, vectors = _eigh(gram, noise=max(n, p))
        first = int(np.searchsorted(eigenvalues, 0, side="right"))
        return Decomposition(X, root, offset, eigenvalues[first:], vectors[:, first:], dual)
    gram = cast(np.zeros((n, n)), "float64", X)
    for columns in batches(p, CHUNK):
        _add_gram(gram, (_centred(X[:, columns], offset[columns]) * scale).T)
    # The root is a null vector of the centred kernel. Lifted above all
    # others it cannot mix with further null vectors, and comes last.
    diagonal = get_backend().to_numpy(gram)[np.arange(n), np.arange(n)]
    lift = (2 * float(diagonal.sum()) or 1.0) / n
    for rows in batches(n, CHUNK):
        gram[rows] += lift * scale[rows] * root
    eigenvalues, vectors = _eigh(gram, noise=max(n, p))
    return Decomposition(X, root, offset, eigenvalues[:-1], vectors[:, :-1], dual)


def _eigh(gram: Array, noise: int) -> tuple[NDArray[np.float64], Array]:
    """Diagonalise; eigenvalues within rounding error of 0 become 0."""
    backend = get_backend()
    host = on_cpu(gram)
    values, vectors = eigh(gram, backend.eigh) if host is None else eigh(host, np.linalg.eigh)
    eigenvalues = np.array(backend.to_numpy(values), dtype=np.float64)
    smallest = abs(float(eigenvalues[-1])) * noise * np.finfo(np.float64).eps
    eigenvalues[eigenvalues <= smallest] = 0
    return eigenvalues, cast(vectors, "float64", gram)


def _add_gram(gram: Array, rows: Array) -> None:
    """Add rows' rows to the lower triangle of `gram`, all that eigh reads."""
    for start in range(0, gram.shape[0], CHUNK):
        columns = slice(start, start + CHUNK)
        gram[start:, columns] += rows[:, start:].T @ rows[:, columns]
