"""Intervals of single regional scores hold the truth in 95 % of test sets."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.comparison import ComparisonOptions
from brainstruct.encoding.regions import Region
from brainstruct.encoding.resampling import N_DRAWS, Resampler, image_weights
from brainstruct.encoding.scores import pearson
from brainstruct.encoding.selected import BestPrediction
from brainstruct.encoding.subjects import interval_table
from brainstruct.encoding.uncertainty import MEAN, over_images, over_images_by_layer

IMAGES, VOXELS, STUDIES = 150, 4, 100
CEILING = np.array([0.5, 0.8, 0.6, np.nan])
GAINS = np.array([[0.2, 0.6, 0.4], [0.5, 0.5, 0.1]])
"""How much every layer of two instructions has of a voxel's response."""


def subject(random, stimuli, rule):
    """Responses whose noise neighbours share, and what two instructions of three layers predict."""
    truth = random.standard_normal((IMAGES, 1)) + random.standard_normal((IMAGES, VOXELS))
    predictions = {}
    for name, gains in zip("ab", GAINS, strict=True):
        kept = BestPrediction(IMAGES, VOXELS)
        shared = random.standard_normal((IMAGES, 1))
        for layer, gain in enumerate(gains):
            noise = shared + random.standard_normal(truth.shape)
            kept.offer(layer, (gain * truth + noise).astype(np.float32), np.full(VOXELS, gain))
        predictions[name] = labelled(
            kept.layer_mean if rule == "mean" else kept.prediction, stimuli
        )
    return over_images(
        labelled(truth.astype(np.float32), stimuli),
        predictions,
        xr.DataArray(CEILING, dims="voxel"),
        [Region("roi", "all", np.ones(VOXELS, dtype=bool))],
        rule=rule,
        options=ComparisonOptions(n_draws=200),
    )


def layers_of(random, stimuli):
    """Fits of one instruction of three layers, as a job keeps them, and the truth of its region."""
    truth = random.standard_normal((IMAGES, 1)) + random.standard_normal((IMAGES, VOXELS))
    resampler = Resampler(truth.astype(np.float32), image_weights(stimuli, N_DRAWS, 0))
    fits = []
    for layer, gain in enumerate(GAINS[0]):
        x = (gain * truth + random.standard_normal(truth.shape)).astype(np.float32)
        r = pearson(truth, x)
        values = {
            "r": ("voxel", r),
            "r_deviation": (("draw", "voxel"), (resampler.correlate(x) - r).astype(np.float16)),
        }
        fits.append(xr.Dataset(values, attrs={"instruction": "a", "layer": layer}))
    return fits


def test_intervals_of_layers_hold_the_truth_although_their_draws_are_few():
    gain = GAINS[0] * np.sqrt(2)
    truth = gain / np.sqrt(1 + gain**2) * np.nansum(CEILING > 0) / np.nansum(CEILING)
    random, held = np.random.default_rng(12), np.zeros(3)
    region = [Region("roi", "all", np.ones(VOXELS, dtype=bool))]
    for study in range(2 * STUDIES):
        fits = layers_of(random, study * IMAGES + np.arange(IMAGES))
        draws = over_images_by_layer(fits, xr.DataArray(CEILING, dims="voxel"), region)
        one = draws.sel(instruction=["a"]).rename(layer_draw="draw")
        table = interval_table({"s1": one}, 0.95)
        assert table["layer"].tolist() == [0, 1, 2]
        held += table["alignment_ci_low"].le(truth) & table["alignment_ci_high"].ge(truth)
    assert np.abs(held / (2 * STUDIES) - 0.95).max() < 0.05, held
    # The mean over instructions has the same draws where there is one.
    np.testing.assert_array_equal(draws.sel(instruction=MEAN), draws.sel(instruction="a"))


def labelled(values, stimuli):
    coords = {"stimulus": stimuli, "voxel": np.arange(VOXELS)}
    return xr.DataArray(values, dims=("stimulus", "voxel"), coords=coords)


@pytest.mark.parametrize("rule", ["best", "mean"])
def test_intervals_hold_the_truth(rule):
    r = GAINS / np.sqrt(1 + GAINS**2)
    r = r.max(1) if rule == "best" else r.mean(1)
    truth = np.array([*r, r.mean()]) / np.nanmean(CEILING)
    random = np.random.default_rng(11)
    held = {"subject": np.zeros(3), "group": np.zeros(3)}
    for study in range(STUDIES):
        stimuli = study * IMAGES + np.arange(IMAGES)
        draws = {name: subject(random, stimuli, rule) for name in ("s1", "s2")}
        found = {"subject": interval_table({"s1": draws["s1"]}, 0.95)}
        found["group"] = interval_table(draws, 0.95)
        for kind, table in found.items():
            assert table["instruction"].tolist() == ["a", "b", MEAN]
            inside = table["alignment_ci_low"].le(truth) & table["alignment_ci_high"].ge(truth)
            held[kind] += inside / STUDIES
        # Two subjects who saw the same images are surer than one.
        assert (found["group"]["alignment_se"] < found["subject"]["alignment_se"] * 1.2).all()
    for kind, share in held.items():
        assert np.abs(share - 0.95).max() < 0.06, (kind, share)
