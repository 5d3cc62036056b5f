"""Principal components of features, found on the training images."""

from dataclasses import dataclass

import numpy as np

from brainstruct.encoding.columns import Array, require_finite, standardise
from brainstruct.encoding.eigen import eigh_of_array
from brainstruct.encoding.gram import gram


@dataclass(frozen=True)
class Components:
    """A feature space in its leading principal components.

    Scores (n_images, n_components) are centred on the training images and not whitened: ridge
    regression on all components is ridge regression on the features. `n_features` is their number,
    and the total variance before anything was dropped; `variance_kept` the share of the training
    images' variance in these components.
    """

    train: Array
    test: Array
    n_features: int
    variance_kept: float


def principal_components(train: Array, test: Array, n_components: int) -> Components:
    """Standardise features and rotate them to their principal components.

    The smaller of the covariance (p x p) and the kernel (n x n) is decomposed, in float64, for its
    leading part only. Every statistic comes from `train`; features are (n_images, n_features). At
    most `n_components` are kept, the strongest first; fewer if the features' rank is lower. A
    `ValueError` if anything is not finite, or no feature varies.
    """
    require_finite(training_features=train, test_features=test)
    train, test = standardise(train, test)
    n_images, n_features = train.shape
    primal = n_features <= n_images
    products = gram(train if primal else train.T)
    total = float(np.trace(products))
    if total == 0:
        raise ValueError("all features are constant on the training images")
    size = len(products)
    wanted = min(n_components, size)
    values, vectors = eigh_of_array(products, subset_by_index=[size - wanted, size - 1])
    real = values > values[-1] * 1e-10  # of weaker ones, float32 scores are mostly rounding
    values, vectors = values[real][::-1], vectors[:, real][:, ::-1]
    rotation = vectors if primal else train.T @ (vectors / np.sqrt(values))
    rotation = rotation.astype(np.float32)
    return Components(
        train=train @ rotation,
        test=test @ rotation,
        n_features=n_features,
        variance_kept=float(values.sum() / total),
    )
