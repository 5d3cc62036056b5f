"""Responses of a subject to images: z-scored betas, averaged over repetitions."""

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from brainstruct.datasets.lists import TEST
from brainstruct.datasets.reading import NoiseCeiling, Reader, Trials
from brainstruct.datasets.silent import silent_ncsnr
from brainstruct.errors import InputError

VOXELS_AT_ONCE = 2048
"""Columns of a piece scaled at a time, in float64."""

FEWEST_VALID = 30
"""Valid trials of a session that a voxel is scaled by, at least."""

SHUFFLES, CHECKED = 4, 250
"""How often, and in how many voxels, images are shuffled to look at that share."""

Progress = Callable[[int, int], None]
"""Called with (trials done, trials in all)."""


# Long: two thirds say what is made of betas, in which order, and where it is counted.
def average_betas(
    reader: Reader,
    subject: str,
    images: pd.DataFrame,
    *,
    mask: str,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Turn the betas of a subject into one response per image and voxel.

    Betas are z-scored over the trials that were measured together, voxel by voxel (standard
    deviation with n - 1), and averaged over the repetitions of an image. A response that is not
    valid counts as a missing trial of that voxel. A voxel without variance in a session, or with
    too few valid trials to be scaled by (see `zscore`), is dropped. `images` are from
    `brainstruct.datasets.lists.read_image_list`; of places those of the mask are kept; `progress`
    is called after each piece. An `InputError` if no voxel is left, or images, trials and betas do
    not belong together.

    Returns
    -------
    xarray.Dataset
        ``betas`` (stimulus, voxel), float32. Where no trial is valid it is 0, the session
        mean, of training images, and the voxel's mean over the other images of test images,
        which so have no part in what is compared with predictions. Coordinates ``split``,
        ``test_set`` and ``repetitions`` (trials shown) on stimulus; those of the places, and
        ``ncsnr``, on voxel.
        Attributes: subject, mask, sessions, those of `Reader.facts` and of the
        places, the numbers of sessions and repetitions behind the ncsnr, what 95 % of
        voxels without signal have of it at most (``ncsnr_silent``, see `silent_ncsnr`),
        the share that has more where images are shuffled (``silent_share``), and the
        counts n_saturated (trials of voxels that are not valid), n_imputed
        (images of voxels), n_dead_voxels, n_mask_voxels, n_voxels; the first two
        in the voxels that are kept.

    Memory: 9 bytes per image and mask voxel at most (sum, count and the copy
    without dead voxels, 1.4 GB for 10,000 images and 15,724 voxels), plus one
    piece of betas and one block of `VOXELS_AT_ONCE` columns; 4 bytes more where
    the ncsnr is estimated. 9 bytes per image and voxel that is shuffled.
    """
    shown = reader.trials(subject)
    row_of_trial = _rows(images, shown, subject)
    places = reader.places(subject, mask)
    known = reader.noise_ceiling(subject, mask)
    total = _Averages(len(images), places.sizes["voxel"], spread=known is None)
    shuffled = _Shuffled(len(images), places.sizes["voxel"])
    done, sizes = 0, list[int]()
    for piece in reader.betas(subject, mask):
        n_trials = len(piece.betas)
        if done + n_trials > len(shown):
            raise _too_many_or_few(subject, f"more than {len(shown)}", len(shown))
        total.add(piece, row_of_trial[done : done + n_trials])
        shuffled.add(piece, row_of_trial[done : done + n_trials])
        sizes.append(n_trials)
        done += n_trials
        if progress is not None:
            progress(done, len(shown))
    if done != len(shown):
        raise _too_many_or_few(subject, str(done), len(shown))
    alive = total.alive
    if not alive.any():
        raise InputError(
            f"the betas of {subject}",
            f"all {alive.size} voxels of the mask {mask} are constant or without data in some "
            "session",
            "Check that mask and betas belong to the same subject and preparation",
        )
    used = pd.DataFrame(
        {"session": np.repeat(np.arange(len(sizes)), sizes), "stimulus": row_of_trial}
    )
    most = int(images["repetitions"].max())
    if known is None:
        known = NoiseCeiling(total.ncsnr(), used)
    betas, saturated, imputed = total.finish(np.flatnonzero(images["split"] == TEST))
    kept = places.isel(voxel=np.flatnonzero(alive)).assign_coords(
        voxel=np.arange(np.count_nonzero(alive)), ncsnr=("voxel", known.ncsnr[alive])
    )
    labels: dict[Hashable, Any] = {"stimulus": images["stimulus"].to_numpy(dtype=np.int64)}
    for name, kind in (("split", str), ("test_set", str), ("repetitions", np.int64)):
        labels[name] = ("stimulus", images[name].to_numpy(dtype=kind))
    responses = (("stimulus", "voxel"), betas, {"units": "standard deviations"})
    facts = {
        "subject": subject,
        "mask": mask,
        "sessions": int(shown["session"].nunique()),
        **reader.facts(subject),
        "ncsnr_sessions": int(known.trials["session"].nunique()),
        "ncsnr_repetitions": known.repetitions or most,
        "ncsnr_silent": silent_ncsnr(known.trials, known.repetitions),
        "silent_share": shuffled.share_above(silent_ncsnr(used)),
        "n_saturated": saturated,
        "n_imputed": imputed,
        "n_dead_voxels": int(np.count_nonzero(~alive)),
        "n_mask_voxels": alive.size,
        "n_voxels": kept.sizes["voxel"],
    }
    return kept.assign(betas=responses).assign_coords(labels).assign_attrs(facts)


def zscore(
    piece: Trials, voxels: slice = slice(None)
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Scale responses that were measured together, voxel by voxel.

    Returns
    -------
    scaled : ndarray of float32, [trial, voxel]
        (b - mean) / standard deviation over the valid trials (n - 1); 0 where
        the trial is not valid or the voxel is dead.
    valid : ndarray of bool, [trial, voxel]
        False where the response is not known.
    alive : ndarray of bool, [voxel]
        False for voxels whose valid trials do not vary, or are fewer than `FEWEST_VALID`;
        than half of all, of pieces of less than twice as many.
    """
    betas = piece.betas[:, voxels]
    valid = np.isfinite(betas) if piece.valid is None else piece.valid[:, voxels]
    change = np.where(valid, betas.astype(np.float64) / piece.unit, 0.0)
    n_valid = valid.sum(axis=0)
    change -= change.sum(axis=0) / np.maximum(n_valid, 1)
    change[~valid] = 0.0
    variance = (change**2).sum(axis=0) / np.maximum(n_valid - 1, 1)
    # Equal numbers leave rounding errors behind, many orders below a real one.
    lowest = np.where(valid, betas, np.inf).min(axis=0)
    highest = np.where(valid, betas, -np.inf).max(axis=0)
    alive = (highest > lowest) & (n_valid >= min(FEWEST_VALID, max(2, len(betas) // 2)))
    scaled = np.where(alive, change / np.sqrt(np.where(alive, variance, 1.0)), 0.0)
    return scaled.astype(np.float32), valid, alive


class _Averages:
    """Running means over the repetitions of images, piece by piece.

    With `spread`, squares are summed too, for the noise ceiling.
    """

    def __init__(self, n_images: int, n_voxels: int, *, spread: bool) -> None:
        self._sum = np.zeros((n_images, n_voxels), dtype=np.float32)
        self._squares = np.zeros((n_images, n_voxels), dtype=np.float32) if spread else None
        self._times = np.zeros((n_images, n_voxels), dtype=np.uint8)
        self._saturated = np.zeros(n_voxels, dtype=np.int64)
        self.alive = np.ones(n_voxels, dtype=bool)

    def add(self, piece: Trials, images: npt.NDArray[np.intp]) -> None:
        """Add a piece, and the image row of each of its trials."""
        for start in range(0, piece.betas.shape[1], VOXELS_AT_ONCE):
            block = slice(start, start + VOXELS_AT_ONCE)
            scaled, valid, alive = zscore(piece, block)
            # An image can come twice in a session: plain indexing would lose one.
            for trial, image in enumerate(images):
                self._sum[image, block] += scaled[trial]
                self._times[image, block] += valid[trial]
                if self._squares is not None:
                    self._squares[image, block] += scaled[trial] ** 2
            self._saturated[block] += (~valid).sum(axis=0)
            self.alive[block] &= alive

    def ncsnr(self) -> npt.NDArray[np.float32]:
        """Estimate the ncsnr from images with two valid trials or more.

        sqrt(max(0, 1 - v)) / sqrt(v), where v is the variance over the trials of an
        image, averaged over images, of z-scored betas (Allen et al. 2022, who take
        images with three trials). NaN where no image has two.
        """
        assert self._squares is not None
        noise = np.zeros(self.alive.size)
        n_images = np.zeros(self.alive.size, dtype=np.int64)
        for total, squares, times in zip(self._sum, self._squares, self._times, strict=True):
            repeated = times > 1
            scatter = squares - total.astype(np.float64) ** 2 / np.maximum(times, 1)
            noise += np.where(repeated, scatter / np.maximum(times.astype(int) - 1, 1), 0.0)
            n_images += repeated
        with np.errstate(invalid="ignore", divide="ignore"):
            noise /= n_images
            return np.sqrt(np.maximum(0.0, 1.0 - noise) / noise).astype(np.float32)

    def finish(self, tested: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.float32], int, int]:
        """Return means of the living voxels, [image, voxel], n_saturated, n_imputed; use once.

        `tested` are rows of test images: those without a valid trial get the mean of the others.
        """
        imputed = 0
        for row, times in zip(self._sum, self._times, strict=True):
            row /= np.maximum(times, 1)
            imputed += int(np.count_nonzero((times == 0) & self.alive))
        known = self._times[tested] > 0
        for voxel in np.flatnonzero(~known.all(axis=0)):
            column, there = self._sum[tested, voxel], known[:, voxel]
            column[~there] = column[there].mean() if there.any() else 0.0
            self._sum[tested, voxel] = column
        del self._times
        means = self._sum if self.alive.all() else self._sum[:, self.alive]
        return means, int(self._saturated[self.alive].sum()), imputed


class _Shuffled:
    """The noise of some voxels if images had been shown in another order within each piece."""

    def __init__(self, n_images: int, n_voxels: int) -> None:
        self._voxels = np.unique(np.linspace(0, n_voxels - 1, CHECKED).astype(np.intp))
        self._random = np.random.default_rng(0)
        self._orders = [
            _Averages(n_images, self._voxels.size, spread=True) for _ in range(SHUFFLES)
        ]

    def add(self, piece: Trials, images: npt.NDArray[np.intp]) -> None:
        """Add a piece, and the image row of each of its trials."""
        valid = None if piece.valid is None else piece.valid[:, self._voxels]
        some = Trials(piece.betas[:, self._voxels], piece.unit, valid)
        for order in self._orders:
            order.add(some, self._random.permutation(images))

    def share_above(self, ncsnr: float) -> float:
        """Return the share of living voxels and orders that have a larger ncsnr."""
        found = np.concatenate([order.ncsnr()[order.alive] for order in self._orders])
        return float((found > ncsnr).mean()) if found.size else float("nan")


def _too_many_or_few(subject: str, found: str, wanted: int) -> InputError:
    return InputError(
        f"the betas of {subject}",
        f"are of {found} trials, the list of trials has {wanted}",
        "Take betas and lists of trials from one data set",
    )


def _rows(images: pd.DataFrame, shown: pd.DataFrame, subject: str) -> npt.NDArray[np.intp]:
    """Return the row of `images` that each trial shows."""
    rows: npt.NDArray[np.intp] = pd.Index(images["stimulus"]).get_indexer(shown["stimulus"])
    times = np.bincount(rows[rows >= 0], minlength=len(images))
    if (rows < 0).any() or (times != images["repetitions"]).any():
        raise InputError(
            f"the list of images of {subject}",
            f"does not fit the {len(shown)} trials: {np.count_nonzero(rows < 0)} show an image "
            f"that is not listed, {np.count_nonzero(times != images['repetitions'])} images are "
            "shown more or less often than listed",
            "Make the list anew: delete it, and start again",
        )
    return rows
