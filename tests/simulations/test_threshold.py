"""Voxels without signal that reach the threshold of the noise ceiling: 5 %."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct.datasets.averaging import average_betas
from brainstruct.datasets.nsd.ncsnr import compute_ncsnr
from brainstruct.datasets.reading import Reader, Trials
from brainstruct.datasets.silent import silent_ncsnr
from brainstruct.encoding.ceiling import ncsnr_ceiling

SESSION, IMAGES, VOXELS = 750, 10_000, 600


def shown_in(sessions):
    """The image of each trial: 10,000 images, each three times in 40 sessions, soon and late."""
    random = np.random.default_rng(0)
    place = np.arange(IMAGES)[:, None] * 3 + random.exponential(2500, (IMAGES, 3)).cumsum(1)
    return np.repeat(np.arange(IMAGES), 3)[np.argsort(place, axis=None)][: sessions * SESSION]


def noise(shown, n_voxels=VOXELS):
    """Noise whose mean is another in each session."""
    random = np.random.default_rng(1)
    drift = random.standard_normal((shown.size // SESSION, n_voxels))
    betas = random.standard_normal((shown.size, n_voxels), np.float32)
    return betas + 3 * np.repeat(drift, SESSION, axis=0).astype(np.float32)


def trials_of(shown):
    session = np.arange(shown.size) // SESSION
    return pd.DataFrame({"session": session, "run": 1, "stimulus": shown})


@pytest.mark.parametrize(("mapped", "used"), [(3, 3), (10, 10), (40, 40), (40, 3), (40, 37)])
def test_a_twentieth_of_silent_voxels_reach_the_threshold(mapped, used, full, tell):
    shown = shown_in(mapped)
    ncsnr = compute_ncsnr(noise(shown, VOXELS * (5 if full else 1)), shown)
    tested = np.unique(shown[: used * SESSION], return_counts=True)[1][::10]
    ceiling = ncsnr_ceiling(ncsnr, tested)
    threshold = ncsnr_ceiling(silent_ncsnr(trials_of(shown), 3), tested)
    share, before = (float((ceiling >= least).mean()) for least in (threshold, 0.05))
    tell(
        f"silent voxels that reach the threshold; map of {mapped} sessions, {used} analysed",
        "5 %",
        f"{100 * share:.1f} % (threshold {threshold:.3f}; 0.05: {100 * before:.0f} %)",
    )
    assert share == pytest.approx(0.05, abs=0.02)
    assert before > 0.4


class Silent(Reader):
    """One subject whose voxels have no signal; the ncsnr is estimated."""

    def __init__(self, shown, betas):
        self.shown, self.measured = shown, betas

    def stimuli(self, image_set):
        raise NotImplementedError

    pixels = stimuli

    def trials(self, subject):
        return trials_of(self.shown)

    def places(self, subject, mask):
        return xr.Dataset(coords={"voxel": np.arange(self.measured.shape[1])})

    def betas(self, subject, mask):
        for start in range(0, self.shown.size, SESSION):
            yield Trials(self.measured[start : start + SESSION])


@pytest.mark.parametrize("spikes", [False, True])
def test_shuffled_images_say_whether_the_formula_holds(spikes):
    """Its variance supposes noise without spikes, where few images were shown twice."""
    shown = shown_in(3)
    betas = noise(shown)
    if spikes:
        betas *= np.where(np.random.default_rng(2).random(betas.shape) < 0.005, 30, 1)
    ids, times = np.unique(shown, return_counts=True)
    images = pd.DataFrame(
        {"stimulus": ids, "split": "test", "test_set": "shared", "repetitions": times}
    )
    found = average_betas(Silent(shown, betas), "anna", images, mask="all")
    share = found.attrs["silent_share"]
    passing = float((found["ncsnr"] > found.attrs["ncsnr_silent"]).mean())
    assert share == pytest.approx(passing, abs=0.1 if spikes else 0.02)
    assert (share > 0.2) if spikes else share == pytest.approx(0.05, abs=0.02)
