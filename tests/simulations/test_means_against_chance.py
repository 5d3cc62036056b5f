"""p of a mean over instructions, or layers, is that of the mean r: exact, and no less powerful."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

from brainstruct.encoding.fdr import benjamini_hochberg
from brainstruct.encoding.permutation import PermutationTest
from brainstruct.encoding.scores import pearson
from brainstruct.encoding.selected import BestPrediction
from brainstruct.encoding.uncertainty import MEAN, against_chance


def predictions(truth, n, gain, seed, shared=0.5):
    """`n` predictions that have something of the truth, and noise that they share in part."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal(truth.shape)
    return [
        (3 + gain * truth + np.sqrt(shared) * noise
         + np.sqrt(1 - shared) * random.standard_normal(truth.shape)).astype(np.float32)
        for _ in range(n)
    ]  # fmt: skip


def labelled(columns):
    dims = ("stimulus", "voxel")
    return {f"I{number}": xr.DataArray(x, dims=dims, coords={"voxel": np.arange(x.shape[1])})
            for number, x in enumerate(columns)}  # fmt: skip


def mean_r_of_permuted(truth, columns, test):
    """The mean r under every permutation of a test, (permutation, voxel), the identity first."""
    first = truth[test.orders[0]]
    return np.array(
        [
            np.mean([pearson(np.roll(first, shift, 0), x[order]) for x in columns], axis=0)
            for order in test.orders
            for shift in range(len(truth))
        ]
    )


@pytest.mark.parametrize("rule", ["best", "mean"])
def test_p_of_the_mean_is_the_share_of_permutations_with_as_large_a_mean(rule):
    random = np.random.default_rng(0)
    truth = random.standard_normal((40, 12)).astype(np.float32)
    columns = predictions(truth, 6, 0.1, seed=1)
    test = PermutationTest(truth, n_permutations=400, seed=3)
    if rule == "best":
        given = labelled(columns)
    else:  # two instructions of three layers each
        given = []
        for layers in (columns[:3], columns[3:]):
            kept = BestPrediction(*truth.shape)
            for layer, x in enumerate(layers):
                kept.offer(layer, x, np.zeros(12, np.float32))
            given.append(kept.layer_mean)
        given = labelled(given)
    found = against_chance(given, test, rule)
    mean = mean_r_of_permuted(truth, columns, test)
    expected = (mean >= mean[0] - 2e-6).mean(0)
    np.testing.assert_allclose(found["p"].sel(instruction=MEAN), expected, atol=1e-6)


def test_what_every_instruction_shows_a_little_their_mean_shows_surely():
    """Silent voxels: 5 %. Others: more by the mean than by any single one, or twice the mean p."""
    random = np.random.default_rng(1)
    truth = random.standard_normal((500, 1500)).astype(np.float32)
    gain = np.where(np.arange(1500) < 500, 0.13, 0.0)
    given = labelled(predictions(truth, 5, gain, seed=2, shared=0.1))
    found = against_chance(given, PermutationTest(truth, seed=4), "best")["p"]
    silent = found.isel(voxel=slice(500, None))
    low, high = binom.interval(0.99, 1000, 0.05)
    assert low <= (silent.sel(instruction=MEAN) <= 0.05).sum() <= high
    single = found.drop_sel(instruction=MEAN)
    counted = benjamini_hochberg(found, axis=1) <= 0.05
    by_mean, by_single = counted[-1, :500].sum(), counted[:-1, :500].sum(1)
    by_doubling = benjamini_hochberg((2 * single.mean("instruction")).clip(max=1)) <= 0.05
    assert by_mean > 480
    assert by_single.max() < 450
    assert by_doubling.sum() < by_mean / 2
