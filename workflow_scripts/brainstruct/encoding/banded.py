"""Banded ridge regression with two bands, in terms of Gram matrices.

Plain ridge regression on two concatenated feature spaces penalises both alike,
and often predicts worse than the better of the two alone. Banded ridge (Nunez-
Elizalde et al. 2019; Dupre la Tour et al. 2022) scales the bands by sqrt(s)
and sqrt(1 - s) and chooses the share s, like the penalty, per voxel by
cross-validation. Shares 1 and 0 are the two spaces alone, so the joint model
can fall back on either. All that cross-validation needs follows from each
fold's X'X and X'Y: with few features (principal components) it costs little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from brainstruct.encoding.columns import Array, batches, centre, require_finite, weighted_mean
from brainstruct.encoding.components import Components
from brainstruct.encoding.eigen import eigh
from brainstruct.encoding.gram import gram
from brainstruct.encoding.scores import r_squared
from brainstruct.encoding.solver.arrays import packed, times

Tensor = torch.Tensor

_BLOCK = 256
"""Rows of a triangle that are multiplied at once: of 1,024, 62 % of a square are left."""


@dataclass(frozen=True)
class BandedOptions:
    """How banded ridge regressions are fitted.

    Penalties (`alphas`) are as for the single encoding models: bands are scaled so that their sum
    has the total variance of one standardised feature space. To the shares of the first band that
    are tried, 0 and 1 are always added. Folds are of the training images; the device is ``cpu`` or
    ``cuda``. Weights of the training images are as for `brainstruct.encoding.ridge.start_ridge`.
    """

    alphas: Sequence[float]
    shares: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9)
    folds: int = 5
    seed: int = 0
    device: str = "cpu"
    targets_per_batch: int = 2000
    weights: NDArray[np.float64] | None = None


def fit_pair(
    a: Components, b: Components, Y_train: Array, Y_test: Array, options: BandedOptions
) -> xr.Dataset:
    """Fit two feature spaces of the same images alone and together.

    Responses are of shape (n_images, n_voxels). Returns, float32, by voxel: ``r2_a``, ``r2_b`` and
    ``r2_joint``, R2 on the test images of either band alone and of both; ``shared``, ``unique_a``
    and ``unique_b``, see `brainstruct.encoding.partition`; ``split_a`` and ``split_b``, the joint
    R2 divided between the bands by the product measure (himalaya's ``r2_score_split``): they add up
    to it and are not unique shares; ``share`` (of band a) and ``alpha``, chosen by the joint model.
    By model (either alone, both), image and voxel: ``prediction``, of the test images. A
    `ValueError` if anything is not finite, or a share is not one.
    """
    require_finite(
        first_training_components=a.train,
        first_test_components=a.test,
        second_training_components=b.train,
        second_test_components=b.test,
        training_responses=Y_train,
        test_responses=Y_test,
    )
    shares = sorted({0.0, 1.0, *options.shares})
    if shares[0] < 0 or shares[-1] > 1:
        raise ValueError(f"shares lie between 0 and 1, got {shares}")
    # Both bands have the same variance, on average one per feature.
    wanted = (a.n_features + b.n_features) / 2
    variances = (one.train.var(0, dtype=np.float64).sum() / one.variance_kept for one in (a, b))
    scale = [np.float32(np.sqrt(wanted / variance)) for variance in variances]
    train = np.concatenate([a.train * scale[0], b.train * scale[1]], axis=1)
    test = np.concatenate([a.test * scale[0], b.test * scale[1]], axis=1)
    weights = np.ones(len(train)) if options.weights is None else options.weights
    search = _Search(train, Y_train, weights, a.train.shape[1], shares, options)
    loss = search.cross_validate()
    # The best penalty at each share, and the best share: (share, voxel) and (voxel,).
    best = loss.argmin(1)
    alphas = np.asarray(options.alphas, dtype=np.float64)[best]
    chosen = np.take_along_axis(loss, best[:, None], axis=1)[:, 0].argmin(0)
    alpha = alphas[chosen, np.arange(chosen.size)]
    joint_a, joint_b = search.predict(test, chosen, alpha)
    alone_a, _ = search.predict(test, np.full_like(chosen, len(shares) - 1), alphas[-1])
    _, alone_b = search.predict(test, np.zeros_like(chosen), alphas[0])
    mean = weighted_mean(Y_train, weights).astype(np.float32)
    values = _shares(Y_test, mean, alone_a, alone_b, joint_a, joint_b) | {
        "share": np.asarray(shares, dtype=np.float32)[chosen],
        "alpha": alpha.astype(np.float32),
    }
    found = xr.Dataset({name: ("voxel", array) for name, array in values.items()})
    guesses = np.stack([alone_a, alone_b, joint_a + joint_b]) + mean
    return found.assign(prediction=(("model", "image", "voxel"), guesses))


class _Search:
    """Cross-validation and refit over shares and penalties."""

    def __init__(
        self,
        X: Array,
        Y: Array,
        weights: NDArray[np.float64],
        n_a: int,
        shares: Sequence[float],
        options: BandedOptions,
    ) -> None:
        self._device = torch.device(options.device)
        self._options = options
        self._mean = weighted_mean(X, weights)
        self._root = torch.as_tensor(np.sqrt(weights, dtype=np.float32)[:, None]).to(self._device)
        self._X = torch.as_tensor(X - self._mean.astype(np.float32)).to(self._device)
        self._Y = np.asarray(Y, dtype=np.float32)
        self._offset = weighted_mean(Y, weights).astype(np.float32)
        products = []
        for part in batches(Y.shape[1], options.targets_per_batch):
            y = torch.as_tensor(self._Y[:, part] - self._offset[part]).to(self._device)
            products.append(self._X.T @ (self._root**2 * y))
        self._products = torch.cat(products, dim=1)
        self._alphas = torch.as_tensor(np.asarray(options.alphas, np.float64)).to(self._device)
        self._bands = slice(n_a), slice(n_a, None)
        scales = (np.repeat([s, 1 - s], [n_a, X.shape[1] - n_a]) ** 0.5 for s in shares)
        self._scales = [torch.as_tensor(scale).to(self._device) for scale in scales]

    def cross_validate(self) -> Array:
        """Return the mean squared error over folds, (share, alpha, voxel)."""
        n_images, n_voxels = self._Y.shape
        folds = KFold(self._options.folds, shuffle=True, random_state=self._options.seed)
        loss = np.zeros((len(self._scales), len(self._alphas), n_voxels), dtype=np.float32)
        whole = gram(self._root * self._X)
        total = (self._root**2 * self._X).sum(0, dtype=torch.float64)
        for _, held in folds.split(self._X):
            rows = torch.as_tensor(held).to(self._device)
            X, root = self._X[rows], self._root[rows]
            n_fit = n_images - float((root**2).sum())
            mean = (total - (root**2 * X).sum(0, dtype=torch.float64)) / n_fit
            fit = whole - gram(root * X) - n_fit * torch.outer(mean, mean)
            # Held-out images as the training images' mean sees them; they count alike.
            centred = X - mean
            seen, X_seen = gram(centred), centred.to(torch.float32)
            y = torch.as_tensor(self._Y[held] - self._offset).to(self._device)
            offset = -(root**2 * y).sum(0) / n_fit
            rest = self._products - times(X.T, (root**2 * y).T)
            rest -= n_fit * torch.outer(mean.to(torch.float32), offset)
            y -= offset
            right, squares = times(X_seen.T, y.T), (y**2).sum(0)
            for number, scale in enumerate(self._scales):
                spectrum, basis, metric = _basis(fit, seen, scale)
                projected, target = (times(each.T, basis.T) for each in (rest, right))
                error = squares + self._explained(spectrum, metric, projected, target)
                loss[number] += (error / len(held)).cpu().numpy()
        return (loss / self._options.folds).astype(np.float32)

    def _explained(
        self, spectrum: Tensor, metric: Tensor, projected: Tensor, target: Tensor
    ) -> Tensor:
        """Return w'Mw - 2 w't, (alpha, voxel), for the weights w = p / (spectrum + alpha).

        p, t (voxel, component) are `projected`, `target`, M is `metric`. The weights are never
        formed: the penalty goes to M, of which, as it is symmetric, a triangle is multiplied.
        """
        shrunk = (1 / (spectrum + self._alphas[:, None])).to(torch.float32)
        found = -2 * shrunk @ (projected * target).T
        triangle = metric.tril() + metric.tril(-1)
        for block in batches(len(metric), _BLOCK):
            upto = slice(block.stop)
            parts = list(batches(len(projected), self._options.targets_per_batch))
            lefts = [packed(projected[part, upto]) for part in parts]  # of all penalties
            for row, each in zip(found, shrunk, strict=True):
                right = packed(triangle[block, upto] * torch.outer(each[block], each[upto]))
                for part, left in zip(parts, lefts, strict=True):
                    row[part] += (times(left, right) * projected[part, block]).sum(1)
        return found

    def predict(
        self, test: Array, share: NDArray[np.intp], alpha: NDArray[np.float64]
    ) -> tuple[Array, Array]:
        """Refit on all training images; return what either band adds to the mean."""
        X = torch.as_tensor(test - self._mean.astype(np.float32)).to(self._device)
        whole = gram(self._root * self._X)
        parts = np.zeros((2, len(test), self._Y.shape[1]), dtype=np.float32)
        for number, scale in enumerate(self._scales):
            chosen = np.flatnonzero(share == number)
            if not chosen.size:
                continue
            spectrum, basis, _ = _basis(whole, whole, scale)
            penalised = spectrum[:, None] + torch.as_tensor(alpha[chosen]).to(self._device)
            weights = basis @ (basis.T @ self._products[:, chosen] / penalised.float())
            for part, band in zip(parts, self._bands, strict=True):
                part[:, chosen] = (X[:, band] @ weights[band]).cpu().numpy()
        return parts[0], parts[1]


def _basis(fit: Tensor, seen: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return eigenvalues, scaled eigenvectors, and held-out products in that basis.

    Columns that get no weight are left out of the decomposition.
    """
    kept = scale > 0
    scaled = scale[:, None] * fit * scale
    spectrum, vectors = eigh(scaled[kept][:, kept], torch.linalg.eigh)
    basis = torch.zeros_like(scaled[:, kept])
    basis[kept] = scale[kept][:, None] * vectors
    metric = basis.T @ seen @ basis
    return spectrum.clamp_min(0), basis.to(torch.float32), metric.to(torch.float32)


def _shares(
    truth: Array, mean: Array, alone_a: Array, alone_b: Array, joint_a: Array, joint_b: Array
) -> dict[str, Array]:
    """Return R2 from what bands add to the mean, its shares, and the product measure.

    The latter is sum_t p_band (2 y - p_joint) / sum_t (y - mean(y))^2 about the test
    images' mean, so that both sum to the joint R2 (himalaya: r2_score_split).
    """
    r2_a, r2_b, r2_joint = (
        r_squared(truth, guess + mean) for guess in (alone_a, alone_b, joint_a + joint_b)
    )
    y, total = centre(truth)
    offset = (mean - truth.mean(0, dtype=np.float64)) / 2
    a, b = joint_a + offset, joint_b + offset  # the intercept belongs to neither band
    with np.errstate(divide="ignore", invalid="ignore"):
        split_a, split_b = (
            ((part * (2 * y - a - b)).sum(0) / total).astype(np.float32) for part in (a, b)
        )
    return {
        "r2_a": r2_a,
        "r2_b": r2_b,
        "r2_joint": r2_joint,
        "shared": r2_a + r2_b - r2_joint,
        "unique_a": r2_joint - r2_b,
        "unique_b": r2_joint - r2_a,
        "split_a": split_a,
        "split_b": split_b,
    }
