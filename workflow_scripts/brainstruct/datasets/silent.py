"""What estimates of the noise say of voxels without signal."""

from statistics import NormalDist

import numpy as np
import pandas as pd

SILENT = 0.95
"""Share of voxels without signal that stay below the threshold."""


def silent_ncsnr(trials: pd.DataFrame, repetitions: int | None = None) -> float:
    """Return the ncsnr that 95 % of voxels without signal stay below.

    The ncsnr is sqrt(d / (1 - d)), where 1 - d is the variance over the trials of an image,
    averaged over images, of scaled betas. Without signal the variance of d is
    2 / n^2 sum(1 / (k - 1)) - 2 / N: that of a mean of n sample variances of k independent
    trials each, less what it shares with the variance of all N trials, by which betas are
    scaled. With k = 3 it is 1 / n - 2 / N. Its mean is near 0: of m trials that are scaled
    together the mean square is 1 - 1 / m, and so is half that of the difference of two from
    different sessions; of two from the same it is 1.

    Trials have ``session``, of those that were scaled together, and ``stimulus``;
    `repetitions` are those of the images that the ncsnr is made from, by default two or more.
    NaN where no image has so many.
    """
    together = trials.groupby(["stimulus", "session"]).size().rename("times").reset_index()
    share = 1 / together["session"].map(trials["session"].value_counts())
    times = together["times"]
    sums = together.assign(all=times * share, same=times * (times - 1) * share)
    image = sums.groupby("stimulus")[["times", "all", "same"]].sum()
    image = image[image["times"] == repetitions if repetitions else image["times"] > 1]
    if image.empty:
        return float("nan")
    k = image["times"]
    mean = (((k - 1) * image["all"] - image["same"]) / (k * (k - 1))).mean()
    variance = 2 * (1 / (k - 1)).sum() / len(k) ** 2 - 2 / len(trials)
    d = min(mean + NormalDist().inv_cdf(SILENT) * np.sqrt(max(variance, 0.0)), 1 - 1e-6)
    return float(np.sqrt(d / (1 - d)))
