"""Noise ceilings: the best correlation a perfect model could reach."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ncsnr_ceiling(ncsnr: ArrayLike, repetitions: ArrayLike) -> NDArray[np.float32]:
    """Noise ceiling from the noise-ceiling signal-to-noise ratio, as a correlation.

    The share of variance that a perfect model explains in responses averaged over n trials is NC =
    ncsnr^2 / (ncsnr^2 + 1/n) (Allen et al. 2022, NSD data manual). Where images have different
    numbers of repetitions, 1/n is its mean over images. Scores are correlations, so the ceiling is
    sqrt(NC).

    `ncsnr` (n_voxels,) is the ratio of the standard deviations of signal and of single-trial noise,
    non-negative or NaN; `repetitions` (n_images,) the trials averaged for each image that is
    scored. The ceiling is float32 in [0, 1), NaN where `ncsnr` is. A `ValueError` if there is no
    image, or one without repetitions.
    """
    counts = np.asarray(repetitions, dtype=np.float64)
    if counts.size == 0 or (counts < 1).any():
        raise ValueError("every scored image needs at least one repetition")
    signal = np.asarray(ncsnr, dtype=np.float64) ** 2
    share = signal / (signal + (1.0 / counts).mean())
    ceiling: NDArray[np.float32] = np.sqrt(share).astype(np.float32)
    return ceiling
