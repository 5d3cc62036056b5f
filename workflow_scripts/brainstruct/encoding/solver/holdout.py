"""Residuals of held-out rows from the fit to all rows.

Let H = X (X'X + alpha)^-1 X' be the hat matrix (with an intercept, of the
centred X, plus 1/n everywhere) and e = (I - H) Y. The residuals of rows f under
the fit to all other rows are exactly (I - H_ff)^-1 e_f: one decomposition serves
all folds (Liland, Skogholt and Indahl 2024, IEEE Access 12, 17349-17368,
doi:10.1109/ACCESS.2024.3357097; leave-one-out is the case of one row).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from himalaya.backend import get_backend
from numpy.typing import NDArray

from brainstruct.encoding.solver.arrays import Array, cast, empty, inverse_in_place, precision
from brainstruct.encoding.solver.decomposition import Decomposition
from brainstruct.encoding.solver.lowrank import Band, split_spectrum

MIXED_AT_ONCE = 1 << 15
"""Values per band function that are mixed at once: they stay in a CPU's cache."""


@dataclass(frozen=True)
class Shrinkage:
    """I - H as ``complement * (I - U U') + U diag(factors) U'``, or a multiple of it.

    In the dual form U is complete and there is no complement: small factors keep
    their relative precision, and are scaled so that the largest is 1. Else
    ``I - U diag(1 - factors) U'`` is used as it stands.

    Attributes
    ----------
    complement : bool
        Whether U leaves out part of the sample space.
    functions : array of shape (r, n_alphas)
        Between 0 and 1: what is added (dual) or taken away.
    """

    complement: bool
    functions: NDArray[np.float64]

    @property
    def noise(self) -> NDArray[np.float64]:
        """Size of the terms that are summed, relative to the targets."""
        if self.complement:
            return np.ones(self.functions.shape[1])
        size: NDArray[np.float64] = np.sqrt((self.functions**2).mean(0))
        return size


def shrinkage(decomposition: Decomposition, alphas: NDArray[np.float64]) -> Shrinkage:
    """Return the factors of all components at some penalties."""
    eigenvalues = decomposition.eigenvalues[:, None]
    if decomposition.dual:
        return Shrinkage(False, (eigenvalues.min() + alphas) / (eigenvalues + alphas))
    return Shrinkage(True, eigenvalues / (eigenvalues + alphas))


class HeldOutRows:
    """One fold: the operators that turn targets into held-out residuals.

    Parameters
    ----------
    left : array of shape (n_held, r)
        Rows of U.
    factors : Shrinkage
        At the penalties wanted.
    bands : list of Band
        Of `factors`.
    n_samples : int or None
        Rows of the design matrix if an intercept is fitted.
    """

    def __init__(
        self, left: Array, factors: Shrinkage, bands: list[Band], n_samples: int | None
    ) -> None:
        backend = get_backend()
        self.complement = factors.complement
        self.sign = -1.0 if factors.complement else 1.0
        self.n_held = left.shape[0]
        n_alphas = factors.functions.shape[1]
        dtype = precision(left)
        self.operators: list[tuple[slice, list[Array]]] = []
        self.inverse = empty((n_alphas, self.n_held, self.n_held), left)
        self.inverse[...] = 0
        flat = self.inverse.reshape(n_alphas, -1)
        for band in bands:
            rows = left[:, band.components]
            basis = cast(band.basis, dtype, left)
            mixing = cast(self.sign * band.mixing.T, dtype, left)
            weighted = [(rows * basis[:, j]).T for j in range(basis.shape[1])]
            self.operators.append((band.components, weighted))
            products = backend.stack([rows @ one for one in weighted])
            for columns in _blocks(flat.shape[1]):
                flat[:, columns] += mixing @ products.reshape(len(weighted), -1)[:, columns]
        self.mixing = cast(
            self.sign * np.concatenate([band.mixing for band in bands]).T.copy(), dtype, left
        )
        if self.complement:
            diagonal = range(self.n_held)
            self.inverse[:, diagonal, diagonal] += 1
            if n_samples is not None:
                self.inverse -= 1 / n_samples
        self.invertible = np.array([inverse_in_place(matrix) for matrix in self.inverse])
        squared = backend.to_numpy((flat**2).sum(1)).astype(np.float64)
        gain = np.sqrt(squared / self.n_held) * factors.noise
        self.gain = np.where(self.invertible & np.isfinite(gain), gain, np.inf)

    def residuals(self, projected: Array, held: Array, out: Array) -> None:
        """Write the residuals of a batch of targets.

        Parameters
        ----------
        projected : array of shape (n_targets, r)
            Targets times U.
        held : array of shape (n_targets, n_held)
            Centred targets of the held-out rows.
        out : array of shape (n_alphas, n_targets, n_held)
            Overwritten.
        """
        backend = get_backend()
        n_targets = held.shape[0]
        parts = empty((self.mixing.shape[1], n_targets, self.n_held), held)
        number = 0
        for components, weighted in self.operators:
            stretch = projected[:, components]
            for operator in weighted:
                backend.matmul(stretch, operator, out=parts[number])
                number += 1
        flat = parts.reshape(number, -1)
        fitted = empty(tuple(out.shape), held)
        target = fitted.reshape(len(out), -1)
        for columns in _blocks(flat.shape[1]):
            target[:, columns] = self.mixing @ flat[:, columns]
        if self.complement:
            fitted += held
        backend.matmul(fitted, self.inverse, out=out)


def bands_of(decomposition: Decomposition, factors: Shrinkage, tolerance: float) -> list[Band]:
    """Cut the spectrum into bands for some factors."""
    return split_spectrum(decomposition.eigenvalues, factors.functions, tolerance)


def _blocks(size: int) -> Iterator[slice]:
    for start in range(0, size, MIXED_AT_ONCE):
        yield slice(start, start + MIXED_AT_ONCE)
