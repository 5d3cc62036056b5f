"""The noise-ceiling signal-to-noise ratio (ncsnr) of voxels."""

import numpy as np
import numpy.typing as npt

from brainstruct.datasets.nsd import numbers
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.volumes import AGAIN, read_volume
from brainstruct.errors import InputError


def read_ncsnr(
    layout: Layout, subject: str, shape: tuple[int, ...] | None = None
) -> npt.NDArray[np.float32]:
    """Read the ncsnr volume that comes with the betas, [x, y, z]; NaN: never computed.

    An `InputError` if it is of another shape, or holds negative ratios.
    """
    path = layout.ncsnr_file(subject)
    ncsnr = read_volume(path, shape).astype(np.float32)
    if below := np.count_nonzero(ncsnr < 0):
        cure = f"Compute it again, if it is yours: NaN stands for none. {AGAIN}, if it is not"
        raise InputError(path, f"holds {below} negative numbers, which no such ratio is", cure)
    return ncsnr


def compute_ncsnr(
    betas: npt.NDArray[np.int16] | npt.NDArray[np.floating], nsd_id: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Compute ncsnr from single trials as the data set's authors do.

    Betas are [trial: 750 * sessions, voxel], on any linear scale, whole sessions in their order;
    `nsd_id` is [trial]. A `ValueError` if sessions are not whole or no image has three trials.

    Returns
    -------
    ndarray of float32, [voxel]
        sqrt(max(0, 1 - v^2)) / v, where v^2 is the variance over three trials of
        an image, averaged over the images that have exactly three, of betas
        z-scored in each session (export_noiseceiling.m of nsddatapaper; all
        variances with n - 1). NaN for voxels that are constant in a session.
    """
    n_trials, n_voxels = betas.shape
    if n_trials % numbers.TRIALS_PER_SESSION or nsd_id.shape != (n_trials,):
        raise ValueError(f"{n_trials} trials of {nsd_id.size} images are no whole sessions")
    order = np.argsort(nsd_id, kind="stable")
    _, first, times = np.unique(nsd_id[order], return_index=True, return_counts=True)
    complete = first[times == numbers.N_REPETITIONS]
    if not complete.size:
        raise ValueError(f"no image has {numbers.N_REPETITIONS} trials in {n_trials}")
    trials = order[complete[:, None] + np.arange(numbers.N_REPETITIONS)]
    ncsnr = np.empty(n_voxels, dtype=np.float32)
    at_once = max(1, 2**22 // n_trials)
    for start in range(0, n_voxels, at_once):
        block = betas[:, start : start + at_once].astype(np.float64)
        sessions = block.reshape(-1, numbers.TRIALS_PER_SESSION, block.shape[1])
        sessions -= sessions.mean(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            sessions /= sessions.std(axis=1, ddof=1, keepdims=True)
            noise = block[trials].var(axis=1, ddof=1).mean(axis=0)
            ncsnr[start : start + at_once] = np.sqrt(np.maximum(0.0, 1.0 - noise) / noise)
    return ncsnr
