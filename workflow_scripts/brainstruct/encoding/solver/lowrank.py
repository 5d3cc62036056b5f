"""Few functions that stand for many: the shrinkage factors of all penalties.

Ridge shrinks a component of variance ``lam`` by ``lam / (lam + alpha)``, a
smooth function of both logarithms. Over a grid of penalties these functions span
few dimensions, and over a short stretch of ``lam`` still fewer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular

Doubles = NDArray[np.float64]

GRID = 400
MIXING_COST = 4.0
"""Cost of a multiply-add in mixing band predictions, against one in making them."""


@dataclass(frozen=True)
class Nodes:
    """Penalties whose predictions give those of all others.

    The prediction at penalty a is sum_j weights[j, a] times that at penalty index[j];
    if `exact`, every penalty is a node.
    """

    index: NDArray[np.intp]
    weights: Doubles
    exact: bool


def choose_nodes(alphas: Doubles, top: float, typical: float, tolerance: float) -> Nodes:
    """Choose penalties to interpolate between, by an interpolative decomposition.

    `top` is the largest eigenvalue of the Gram matrix: those of every training fold lie between 0
    and it (Cauchy interlacing). `typical` is the mean squared length of a row of the design matrix:
    a held-out row may lie along a component that the training rows hardly have, so errors of small
    eigenvalues are weighted accordingly. The error allowed is a root mean square over the spectrum,
    relative to the targets.
    """
    n_alphas = len(alphas)
    everything = Nodes(np.arange(n_alphas), np.eye(n_alphas), True)
    low = 1e-4 * float(alphas.min())
    if n_alphas < 4 or top <= low:
        return everything
    eigenvalues = np.geomspace(low, top, GRID)[:, None]
    functions = eigenvalues / (eigenvalues + alphas) * np.sqrt(1 + typical / eigenvalues)
    _, R, order = qr(functions, mode="economic", pivoting=True)
    rank = int((np.abs(np.diag(R)) > tolerance * np.sqrt(GRID)).sum())
    if rank > 0.8 * n_alphas:
        return everything
    rank = max(rank, 1)
    weights = np.zeros((rank, n_alphas))
    weights[:, order[:rank]] = np.eye(rank)
    weights[:, order[rank:]] = solve_triangular(R[:rank, :rank], R[:rank, rank:])
    return Nodes(order[:rank], weights, False)


@dataclass(frozen=True)
class Band:
    """A stretch of components over which `basis @ mixing` gives all functions.

    `basis` is (n_components, rank), `mixing` (rank, n_functions).
    """

    components: slice
    basis: Doubles
    mixing: Doubles

    @property
    def cost(self) -> float:
        """Multiply-adds per sample and target."""
        size, rank = self.basis.shape
        return float(rank * (size + MIXING_COST * self.mixing.shape[1]))


def split_spectrum(eigenvalues: Doubles, functions: Doubles, tolerance: float) -> list[Band]:
    """Cut the spectrum into bands, halving as long as it saves work.

    `eigenvalues` (r,) ascend, `functions` (r, n_functions) are between 0 and 1; their
    error, root mean square over a band, is within the tolerance.
    """
    return list(_split(eigenvalues, functions, tolerance, 0, len(eigenvalues)))


def _split(
    eigenvalues: Doubles, functions: Doubles, tolerance: float, start: int, stop: int
) -> Iterator[Band]:
    whole = _band(functions, tolerance, start, stop)
    low, high = eigenvalues[start], eigenvalues[stop - 1]
    middle = np.sqrt(low * high) if low > 0 else 0.0
    cut = start + int(np.searchsorted(eigenvalues[start:stop], middle, side="right"))
    small = stop - start <= functions.shape[1]  # mixing is nearly all of the cost
    if not start < cut < stop or small or whole.basis.shape[1] == 1:
        yield whole
        return
    parts = [
        *_split(eigenvalues, functions, tolerance, start, cut),
        *_split(eigenvalues, functions, tolerance, cut, stop),
    ]
    yield from parts if sum(part.cost for part in parts) < whole.cost else [whole]


def _band(functions: Doubles, tolerance: float, start: int, stop: int) -> Band:
    U, S, Vt = np.linalg.svd(functions[start:stop], full_matrices=False)
    rank = max(int((tolerance * np.sqrt(stop - start) < S).sum()), 1)
    return Band(slice(start, stop), U[:, :rank] * S[:rank], Vt[:rank])
