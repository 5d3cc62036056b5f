"""Banded ridge regression with two bands, in terms of Gram matrices.

Plain ridge regression on two concatenated feature spaces penalises both alike,
and often predicts worse than the better of the two alone. Banded ridge (Nunez-
Elizalde et al. 2019; Dupre la Tour et al. 2022) scales the bands by sqrt(s)
and sqrt(1 - s) and chooses the share s, like the penalty, per voxel by
cross-validation. Shares 1 and 0 are the two spaces alone, so the joint model
can fall back on either. All that cross-validation needs follows from each
fold's X'X and X'Y: with few features (principal components) it costs little.
"""

from collections.abc import Iterator, Sequence
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

Tensor = torch.Tensor


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
    scale = _equal_variance(a, b)
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
        # X is centred, so the targets' means drop out of the products.
        products, sums = [], []
        for part in batches(Y.shape[1], options.targets_per_batch):
            y = torch.as_tensor(self._Y[:, part]).to(self._device)
            products.append(self._X.T @ (self._root**2 * y))
            sums.append((self._root**2 * y).sum(0))
        self._products, self._sums = torch.cat(products, dim=1), torch.cat(sums)
        self._alphas = torch.as_tensor(np.asarray(options.alphas), dtype=torch.float64)
        self._n_a = n_a
        # Each share keeps only the columns of bands that it gives any weight.
        self._bands = []
        for share in shares:
            scale = np.repeat([share, 1 - share], [n_a, X.shape[1] - n_a]) ** 0.5
            kept = np.flatnonzero(scale)
            columns = (torch.as_tensor(array).to(self._device) for array in (kept, scale[kept]))
            self._bands.append(tuple(columns))

    def cross_validate(self) -> Array:
        """Return the mean squared error over folds, (share, alpha, voxel)."""
        n_images, n_voxels = self._Y.shape
        folds = KFold(self._options.folds, shuffle=True, random_state=self._options.seed)
        loss = np.zeros((len(self._bands), len(self._alphas), n_voxels), dtype=np.float32)
        whole = gram(self._root * self._X)
        total = (self._root**2 * self._X).sum(0, dtype=torch.float64)
        for _, held in folds.split(self._X):
            rows = torch.as_tensor(held).to(self._device)
            X, root = self._X[rows], self._root[rows]
            n_fit = n_images - float((root**2).sum())
            mean = (total - (root**2 * X).sum(0, dtype=torch.float64)) / n_fit
            fit = whole - gram(root * X) - n_fit * torch.outer(mean, mean)
            # Held-out images as the training images' mean sees them; they count alike.
            seen = gram(X - mean)
            bases = [self._basis(fit, seen, band) for band in range(len(self._bands))]
            for part, rest, right, squares in self._cross_products(held, mean, n_fit):
                for band, (spectrum, basis, metric) in enumerate(bases):
                    kept = self._bands[band][0]
                    projected, target = basis.T @ rest[kept], basis.T @ right[kept]
                    for row, alpha in enumerate(self._alphas):
                        w = projected / (spectrum + alpha).to(torch.float32)[:, None]
                        error = squares + (w * (metric @ w - 2 * target)).sum(0)
                        loss[band, row, part] += (error / len(held)).cpu().numpy()
        return (loss / self._options.folds).astype(np.float32)

    def predict(
        self, test: Array, share: NDArray[np.intp], alpha: NDArray[np.float64]
    ) -> tuple[Array, Array]:
        """Refit on all training images; return what either band adds to the mean."""
        X = torch.as_tensor(test - self._mean.astype(np.float32)).to(self._device)
        whole = gram(self._root * self._X)
        parts = np.zeros((2, len(test), self._Y.shape[1]), dtype=np.float32)
        for band, (kept, _) in enumerate(self._bands):
            chosen = np.flatnonzero(share == band)
            if not chosen.size:
                continue
            spectrum, basis, _ = self._basis(whole, whole, band)
            for part in batches(chosen.size, self._options.targets_per_batch):
                voxels = chosen[part]
                projected = basis.T @ self._products[kept][:, voxels]
                penalty = torch.as_tensor(alpha[voxels]).to(self._device)
                weights = basis @ (projected / (spectrum[:, None] + penalty).to(torch.float32))
                first = kept < self._n_a
                for which, mask in enumerate((first, ~first)):
                    guess = X[:, kept[mask]] @ weights[mask]
                    parts[which][:, voxels] = guess.cpu().numpy()
        return parts[0], parts[1]

    def _basis(self, fit: Tensor, seen: Tensor, band: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return eigenvalues, scaled eigenvectors, and held-out products in that basis."""
        kept, scale = self._bands[band]
        scaled = scale[:, None] * fit[kept][:, kept] * scale
        spectrum, vectors = eigh(scaled, torch.linalg.eigh)
        basis = scale[:, None] * vectors
        metric = basis.T @ seen[kept][:, kept] @ basis
        return spectrum.clamp_min(0), basis.to(torch.float32), metric.to(torch.float32)

    def _cross_products(
        self, held: NDArray[np.intp], mean: Tensor, n_fit: float
    ) -> Iterator[tuple[slice, Tensor, Tensor, Tensor]]:
        """Yield, batch by batch, X'Y of training and held-out images and the targets' squares."""
        rows = torch.as_tensor(held).to(self._device)
        X, weights, centre = self._X[rows], self._root[rows] ** 2, mean.to(torch.float32)
        for part in batches(self._Y.shape[1], self._options.targets_per_batch):
            y = torch.as_tensor(np.ascontiguousarray(self._Y[held, part])).to(self._device)
            offset = (self._sums[part] - (weights * y).sum(0)) / n_fit
            rest = self._products[:, part] - X.T @ (weights * y)
            rest -= n_fit * torch.outer(centre, offset)
            y = y - offset
            right = X.T @ y - torch.outer(centre, y.sum(0))
            yield part, rest, right, (y**2).sum(0)


def _equal_variance(a: Components, b: Components) -> tuple[np.float32, np.float32]:
    """Return scales that give both bands the same variance, on average one per feature."""
    wanted = (a.n_features + b.n_features) / 2
    variances = (one.train.var(0, dtype=np.float64).sum() / one.variance_kept for one in (a, b))
    first, second = (np.float32(np.sqrt(wanted / variance)) for variance in variances)
    return first, second


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
