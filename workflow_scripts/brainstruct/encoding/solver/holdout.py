"""Residuals of held-out rows from the fit to all rows.

Let H = X (X'X + alpha)^-1 X' + w w'/n be the hat matrix of the centred X, where w are the
square roots of the samples' weights, 1 on average, and rows of X and Y are times w; and
e = (I - H) Y. The residuals of rows f under the fit to all other rows are exactly
(I - H_ff)^-1 e_f: one decomposition serves all folds (Liland, Skogholt and Indahl
2024, IEEE Access 12, 17349-17368, doi:10.1109/ACCESS.2024.3357097; leave-one-out is
the case of one row).
"""

from dataclasses import dataclass

import numpy as np
from himalaya.backend import get_backend
from numpy.typing import NDArray

from brainstruct.encoding.columns import batches
from brainstruct.encoding.solver.arrays import (
    Array,
    Scratch,
    cast,
    inverse_in_place,
    packed,
    precision,
    product,
)
from brainstruct.encoding.solver.decomposition import Decomposition
from brainstruct.encoding.solver.lowrank import Band, split_spectrum

MIXED_AT_ONCE = 1 << 15
"""Values per band function that are mixed at once: they stay in a CPU's cache."""

SCRATCH = 1 << 25
"""Values of the largest scratch array, if 32 rows fit: 128 MB in float32."""


@dataclass(frozen=True)
class Shrinkage:
    """I - H as ``complement * (I - U U') + U diag(factors) U'``, or a multiple of it.

    In the dual form U is complete and there is no complement: small factors keep
    their relative precision, and are scaled so that the largest is 1. Else
    ``I - U diag(1 - factors) U'`` is used as it stands. `bands` hold what is added
    (dual) or taken away; `noise` (n_alphas,) is the size of the terms that are summed,
    relative to the targets.
    """

    complement: bool
    noise: NDArray[np.float64]
    bands: list[Band]


def shrinkage(
    decomposition: Decomposition, alphas: NDArray[np.float64], tolerance: float
) -> Shrinkage:
    """Return the factors of all components at some penalties, in bands of that tolerance."""
    eigenvalues = decomposition.eigenvalues[:, None]
    if decomposition.dual:
        functions = (eigenvalues.min() + alphas) / (eigenvalues + alphas)
        noise = np.sqrt((functions**2).mean(0))
    else:
        functions = eigenvalues / (eigenvalues + alphas)
        noise = np.ones(len(alphas))
    bands = split_spectrum(decomposition.eigenvalues, functions, tolerance)
    return Shrinkage(not decomposition.dual, noise, bands)


class HeldOutRows:
    """One fold: the operators that turn targets into held-out residuals.

    `left` are rows of U, (n_held, r), and `root` (n_held,) the square roots of their weights;
    `n_samples` is the number of all; folds and batches of targets share `scratch`.
    """

    def __init__(
        self, left: Array, root: Array, factors: Shrinkage, n_samples: int, scratch: Scratch
    ) -> None:
        dtype = precision(left)
        self.complement = factors.complement
        self.n_held = left.shape[0]
        self.scratch = scratch
        self.operators = [
            (band.components, [packed(left[:, band.components] * column) for column in columns])
            for band in factors.bands
            for columns in [cast(band.basis.T.copy(), dtype, left)]
        ]
        mixing = np.concatenate([band.mixing for band in factors.bands])
        if self.complement:  # the targets themselves are the last part
            mixing = np.concatenate([-mixing, np.ones((1, mixing.shape[1]))])
        self.mixing = cast(mixing.T.copy(), dtype, left)
        root = cast(root, dtype, left)
        inverse = self._inside(left, root, n_samples)
        self.invertible = np.array([inverse_in_place(matrix) for matrix in inverse])
        for failed in np.flatnonzero(~self.invertible):
            inverse[int(failed)] = 0  # not NaN: others are combined with it, at weight 0
        size = np.array([float((matrix**2).sum()) for matrix in inverse])
        gain = np.sqrt(size / self.n_held) * factors.noise
        self.gain = np.where(self.invertible & np.isfinite(gain), gain, np.inf)
        inverse /= root[:, None]  # residuals of the targets as they are; `product` transposes
        self.inverse = [packed(matrix) for matrix in inverse]

    def residuals(self, projected: Array, held: Array, out: Array) -> None:
        """Write the residuals of a batch of targets.

        `projected` are the targets times U, (n_targets, r); `held` the centred targets
        of the held-out rows times the root, (n_targets, n_held); `out` (n_alphas, n_targets,
        n_held).
        """
        fitted = self.scratch.take("fitted", tuple(out.shape), held)
        self._fit_residuals(projected, held, fitted)
        for one, inverse, place in zip(fitted, self.inverse, out, strict=True):
            product(one, inverse, place)

    def _inside(self, left: Array, root: Array, n_samples: int) -> Array:
        """Return I - H_ff for all penalties: the residuals of unit targets."""
        n = self.n_held
        found = self.scratch.take("inverse", (self.mixing.shape[0], n, n), left)
        step = min(256, rows_at_once(self.mixing.shape[1], n))
        for block in batches(n, step):
            size = block.stop - block.start
            unit = cast(np.eye(size, n, block.start), precision(left), left)
            if self.complement:
                unit -= root[block, None] * root / n_samples
            part = self.scratch.take("fitted", (self.mixing.shape[0], size, n), left)
            self._fit_residuals(left[block], unit, part)
            found[:, block] = part
        return found

    def _fit_residuals(self, projected: Array, held: Array, out: Array) -> None:
        """Write e = (I - H) y on the held-out rows, for all penalties."""
        backend = get_backend()
        parts = self.scratch.take("parts", (self.mixing.shape[1], *held.shape), held)
        number = 0
        for components, weighted in self.operators:
            stretch = projected[:, components]
            for operator in weighted:
                product(stretch, operator, parts[number])
                number += 1
        if self.complement:
            parts[number] = held
        flat, target = parts.reshape(len(parts), -1), out.reshape(len(out), -1)
        for columns in batches(flat.shape[1], MIXED_AT_ONCE):
            backend.matmul(self.mixing, flat[:, columns], out=target[:, columns])


def rows_at_once(n_parts: int, n_held: int) -> int:
    """Return how many targets' band predictions on held-out rows fit the scratch memory."""
    return max(32, SCRATCH // (n_parts * n_held))
