"""Responses of a subject to images: z-scored betas, averaged over repetitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from brainstruct.datasets.nsd import ids
from brainstruct.datasets.nsd.betas import SATURATED, SCALE, Betas, read_session
from brainstruct.datasets.nsd.ids import IntArray
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.ncsnr import read_ncsnr
from brainstruct.datasets.nsd.rois import read_mask
from brainstruct.datasets.nsd.sessions import Sessions
from brainstruct.errors import InputError

VOXELS_AT_ONCE = 2048
"""Columns of a session scaled at a time, in float64."""

Progress = Callable[[int, int], None]
"""Called with (sessions done, sessions in all)."""


# Long: two thirds say what is made of betas, in which order, and where it is counted.
def prepare_responses(
    layout: Layout,
    subject: str,
    index: pd.DataFrame,
    *,
    sessions: Sessions,
    mask_name: str = "nsdgeneral",
    progress: Progress | None = None,
) -> xr.Dataset:
    """Turn the betas of a subject into one response per image and voxel.

    Betas become percent signal change, are z-scored over the trials of their
    session voxel by voxel (standard deviation with n - 1, as in the authors'
    ncsnr), and averaged over the repetitions of an image. A saturated number
    counts as a missing trial of that voxel. A voxel without variance in a
    session is dropped.

    Parameters
    ----------
    index : pandas.DataFrame
        From `brainstruct.datasets.nsd.stimuli.index_subject`, for the same sessions.
    sessions : Sessions
        From `Layout.discover_sessions`.
    mask_name : str
        ROI family whose labelled voxels are kept.
    progress : callable, optional
        Called after each session.

    Returns
    -------
    xarray.Dataset
        ``betas`` (stimulus, voxel), float32: 0 (the session mean) where no trial
        is valid. Coordinates ``split``, ``test_set`` and ``repetitions`` (trials
        shown) on stimulus; ``i``, ``j``, ``k``, ``ncsnr`` on voxel. Attributes:
        subject, space, betas, mask, sessions, format, volume_shape and the
        counts n_saturated (trials of voxels), n_imputed (images of voxels),
        n_dead_voxels, n_mask_voxels, n_voxels; saturated and imputed are counted
        in the voxels that are kept.

    Raises
    ------
    InputError
        If a file is missing, damaged or of another shape, or no voxel is left.
    ValueError
        If `index` does not cover the trials of the sessions exactly once.

    Notes
    -----
    Memory: 9 bytes per image and mask voxel at most (sum, count and the copy
    without dead voxels, 1.4 GB for 10,000 images and 15,724 voxels), plus one
    session of the mask and one block of `VOXELS_AT_ONCE` columns.
    """
    image_of_trial = _image_of_trial(index, sessions.count)
    mask = read_mask(layout, subject, mask_name)
    ncsnr = read_ncsnr(layout, subject, mask.shape)[mask]

    total = _Averages(len(index), int(np.count_nonzero(mask)))
    images = image_of_trial.reshape(-1, ids.TRIALS_PER_SESSION)
    for session, shown in zip(sessions.numbers, images, strict=True):
        file = layout.betas_file(subject, session, sessions.format)
        total.add(read_session(file, mask), shown)
        if progress is not None:
            progress(session, sessions.count)
    alive = total.alive
    if not alive.any():
        raise InputError(
            layout.betas_folder(subject),
            f"all {alive.size} voxels of the mask {mask_name} are constant in some session",
            "Check that mask and betas belong to the same subject and preparation",
        )
    betas, saturated, imputed = total.finish()
    place = np.argwhere(mask)[alive]
    return xr.Dataset(
        {"betas": (("stimulus", "voxel"), betas, {"units": "standard deviations"})},
        coords={
            "stimulus": index["nsd_id"].to_numpy(dtype=np.int64),
            "split": ("stimulus", index["split"].to_numpy(dtype=str)),
            "test_set": ("stimulus", _test_sets(index)),
            "repetitions": ("stimulus", index["repetitions"].to_numpy(dtype=np.int64)),
            "voxel": np.arange(len(place)),
            **{axis: ("voxel", column) for axis, column in zip("ijk", place.T, strict=True)},
            "ncsnr": ("voxel", ncsnr[alive]),
        },
        attrs={
            "subject": subject,
            "space": layout.space,
            "betas": layout.betas,
            "mask": mask_name,
            "sessions": sessions.count,
            "format": sessions.format,
            "volume_shape": list(mask.shape),
            "n_saturated": saturated,
            "n_imputed": imputed,
            "n_dead_voxels": int(np.count_nonzero(~alive)),
            "n_mask_voxels": alive.size,
            "n_voxels": len(place),
        },
    )


def zscore_session(
    betas: Betas,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Scale the betas of one session, as stored, [trial, voxel], voxel by voxel.

    Returns
    -------
    scaled : ndarray of float32, [trial, voxel]
        (b - mean) / standard deviation over the valid trials (n - 1); 0 where
        the trial is not valid or the voxel is dead.
    valid : ndarray of bool, [trial, voxel]
        False where the stored number is saturated.
    alive : ndarray of bool, [voxel]
        False for voxels whose valid trials do not vary (or are fewer than two).
    """
    valid = ~np.isin(betas, SATURATED)
    change = np.where(valid, betas.astype(np.float64) / SCALE, 0.0)
    n_valid = valid.sum(axis=0)
    change -= change.sum(axis=0) / np.maximum(n_valid, 1)
    change[~valid] = 0.0
    variance = (change**2).sum(axis=0) / np.maximum(n_valid - 1, 1)
    # Equal numbers leave rounding errors behind, many orders below a real one.
    lowest = np.where(valid, betas, np.inf).min(axis=0)
    highest = np.where(valid, betas, -np.inf).max(axis=0)
    alive = highest > lowest
    scaled = np.where(alive, change / np.sqrt(np.where(alive, variance, 1.0)), 0.0)
    return scaled.astype(np.float32), valid, alive


class _Averages:
    """Running means over the repetitions of images, session by session."""

    def __init__(self, n_images: int, n_voxels: int) -> None:
        self._sum = np.zeros((n_images, n_voxels), dtype=np.float32)
        self._times = np.zeros((n_images, n_voxels), dtype=np.uint8)
        self._saturated = np.zeros(n_voxels, dtype=np.int64)
        self.alive = np.ones(n_voxels, dtype=bool)

    def add(self, betas: Betas, images: IntArray) -> None:
        """Add a session: [trial, voxel] as stored, and the image row of each trial."""
        for start in range(0, betas.shape[1], VOXELS_AT_ONCE):
            block = slice(start, start + VOXELS_AT_ONCE)
            scaled, valid, alive = zscore_session(betas[:, block])
            # An image can come twice in a session: plain indexing would lose one.
            for trial, image in enumerate(images):
                self._sum[image, block] += scaled[trial]
                self._times[image, block] += valid[trial]
            self._saturated[block] += (~valid).sum(axis=0)
            self.alive[block] &= alive

    def finish(self) -> tuple[npt.NDArray[np.float32], int, int]:
        """Return means of the living voxels, [image, voxel], n_saturated, n_imputed; use once."""
        imputed = 0
        for row, times in zip(self._sum, self._times, strict=True):
            row /= np.maximum(times, 1)
            imputed += int(np.count_nonzero((times == 0) & self.alive))
        del self._times
        means = self._sum if self.alive.all() else self._sum[:, self.alive]
        return means, int(self._saturated[self.alive].sum()), imputed


def _test_sets(index: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Return the test set of each image; empty: a training image."""
    if "test_set" in index:
        return np.asarray(index["test_set"].fillna(""), dtype=str)
    return np.where(index["split"] == "test", "shared", "")


def _image_of_trial(index: pd.DataFrame, n_sessions: int) -> IntArray:
    """Return the row of `index` that each trial of the sessions shows."""
    image = np.full(len(ids.session_numbers(n_sessions)) * ids.TRIALS_PER_SESSION, -1)
    for row, trials in enumerate(index["trials"]):
        for trial in map(int, str(trials).split(",")):
            if not 0 <= trial < image.size or image[trial] != -1:
                raise ValueError(
                    f"trial {trial} of nsd_id {index['nsd_id'].iloc[row]} is not one of the "
                    f"{image.size} trials of {n_sessions} sessions, or is listed twice"
                )
            image[trial] = row
    if (image < 0).any():
        raise ValueError(f"{np.count_nonzero(image < 0)} of {image.size} trials show no image")
    return image
