from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom, pearsonr

from brainstruct.encoding.comparison import ComparisonOptions
from brainstruct.encoding.fdr import benjamini_hochberg
from brainstruct.encoding.permutation import BLOCK, FLOOR, PermutationTest
from brainstruct.encoding.regions import Region
from brainstruct.encoding.uncertainty import against_chance, over_images
from solvers import fit_ridge


def noise(n_images, n_voxels, seed):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n_images, n_voxels)).astype(np.float32) for _ in range(2))


def permutation_p(truth, prediction, **options):
    return PermutationTest(truth, **options).p(prediction)


@pytest.mark.parametrize("n_images", [30, 31])
def test_equals_a_plain_loop(n_images):
    truth, prediction = noise(n_images, 5, 0)
    prediction += 0.3 * truth
    test = PermutationTest(truth, n_permutations=120, seed=7)
    orders = test.orders
    expected = []
    for voxel in range(5):
        y, f = truth[:, voxel].astype(float), prediction[:, voxel].astype(float)
        r = pearsonr(y, f)[0]
        permuted = [
            pearsonr(np.roll(y[orders[0]], shift), f[order])[0]
            for order in orders
            for shift in range(n_images)
        ]
        expected.append(np.mean(np.array(permuted) >= r - 1e-9))
    assert test.n_permutations == n_images * 4 == n_images * len(orders)
    np.testing.assert_allclose(test.p(prediction), expected, rtol=1e-6)


def test_permutations_come_in_families_of_as_many_as_images():
    sizes = (1000, 997, 1800, 3000, 515, 60)
    counts = [len(PermutationTest(np.zeros((n, 1)), n_permutations=1000).orders) for n in sizes]
    assert counts == [1, 1, 1, 1, 2, 17]


def test_noise_has_uniform_p():
    truth, prediction = noise(100, 20000, 1)
    p = permutation_p(truth, prediction, n_permutations=400)
    for level in (0.01, 0.05, 0.5):
        low, high = binom.interval(0.99, p.size, level)
        assert low <= (p <= level).sum() <= high
    assert abs(p.mean() - 0.5) < 0.01


def test_skewed_responses_have_uniform_p():
    truth, prediction = (np.exp(part) for part in noise(40, 20000, 2))
    p = permutation_p(truth, prediction, n_permutations=400)
    low, high = binom.interval(0.99, p.size, 0.05)
    assert low <= (p <= 0.05).sum() <= high


@pytest.mark.parametrize(
    ("n_voxels", "at_most"),
    # 5 of 100 runs are what the rate allows; with 500 voxels, tails decide.
    [(500, binom.ppf(0.99, 100, 0.05)), (20, binom.ppf(0.99, 100, 0.05))],
)
def test_noise_survives_no_false_discovery_control(n_voxels, at_most):
    found = 0
    for seed in range(100):
        truth, prediction = noise(100, n_voxels, 100 + seed)
        p = permutation_p(truth, prediction, n_permutations=1000, seed=seed)
        found += bool((benjamini_hochberg(p) <= 0.05).any())
    assert found <= at_most


def test_fits_to_noise_are_calibrated():
    """The same through the fits: every voxel noise, one of many scores."""
    alphas = np.logspace(0, 4, 5)
    found, below, voxels = 0, 0, 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((150, 8)).astype(np.float32)
        Y = rng.standard_normal((150, 60)).astype(np.float32)
        fit = fit_ridge(X[:80], Y[:80], X[80:], Y[80:], alphas, folds=3, backend="numpy")
        p = permutation_p(Y[80:], fit.prediction, seed=seed)
        found += bool((benjamini_hochberg(p) <= 0.05).any())
        below, voxels = below + int((p <= 0.05).sum()), voxels + p.size
    low, high = binom.interval(0.99, voxels, 0.05)
    assert low <= below <= high
    assert found <= 5


def test_the_largest_statistic_is_over_all_voxels():
    truth, prediction = noise(40, BLOCK + 3, 8)
    prediction[:, -1] += 2 * truth[:, -1]
    test = PermutationTest(truth, n_permutations=80, seed=7)
    y, x = ((v - v.mean(0)) / v.std(0) / np.sqrt(40) for v in (truth, prediction))
    first = y[test.orders[0]]
    r = np.array([(np.roll(first, s, 0) * x[o]).sum(0) for o in test.orders for s in range(40)])
    expected = (r.max(1)[:, None] >= r[0] - 1e-6).mean(0)
    np.testing.assert_allclose(test.test(prediction).p_fwe, expected, atol=1e-6)
    assert expected[-1] == 1 / 80


def test_no_p_is_under_its_floor():
    truth, prediction = noise(100, 3, 9)
    for n_permutations, floor in ((400, 1 / 400), (1000, FLOOR)):
        test = PermutationTest(truth, n_permutations=n_permutations)
        assert test.floor == floor
        np.testing.assert_allclose(test.p(prediction + 30 * truth), floor, rtol=1e-6)


def test_signal_is_found_and_seed_decides():
    truth, prediction = noise(60, BLOCK + 3, 2)
    prediction[:, -1] += 2 * truth[:, -1]
    p = permutation_p(truth, prediction, n_permutations=240, seed=3)
    assert p[-1] == pytest.approx(1 / 240)
    np.testing.assert_array_equal(p, permutation_p(truth, prediction, n_permutations=240, seed=3))
    assert (p != permutation_p(truth, prediction, n_permutations=240, seed=4)).any()


def test_constant_columns():
    truth, prediction = noise(20, 2, 4)
    truth[:, 0] = 3
    prediction[:, 1] = 0.1
    p = permutation_p(truth, prediction, n_permutations=20)
    assert np.isnan(p[0])
    assert p[1] == 1


@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_not_finite_has_no_p(where):
    """A share of 0 would be the most significant voxel of all."""
    pair = tuple(noise(20, 2, 6))
    pair[where][3, 0] = np.inf
    p = permutation_p(*pair, n_permutations=20)
    assert np.isnan(p[0])
    assert p[1] >= 1 / 20


def test_p_values_in_single_precision_are_adjusted_in_double():
    p = np.array([0.01, 0.02, 0.04, 0.3, 0.5, 0.6, 0.7], np.float32)
    np.testing.assert_array_equal(benjamini_hochberg(p), benjamini_hochberg(p.astype(float)))


def test_bad_input_is_refused():
    truth, prediction = noise(20, 2, 5)
    with pytest.raises(ValueError, match=r"shapes \(20, 2\) and \(5, 2\)"):
        permutation_p(truth, prediction[:5])
    with pytest.raises(ValueError, match="at least 1"):
        permutation_p(truth, prediction, n_permutations=0)
    with pytest.raises(ValueError, match="no \\(images, voxels\\)"):
        PermutationTest(np.zeros((0, 3), np.float32))


def test_uncertainty_of_many_voxels_holds_few_copies():
    """Of single precision; predictions of all voxels in double precision would be eight of them."""
    random = np.random.default_rng(0)
    coords = {"stimulus": np.arange(40), "voxel": np.arange(60_000)}
    truth, *others = (
        xr.DataArray(
            random.standard_normal((40, 60_000), np.float32), coords, ["stimulus", "voxel"]
        )
        for _ in range(3)
    )
    predictions = dict(zip("ab", others, strict=True))
    test = PermutationTest(truth.values, n_permutations=40)
    ceiling = xr.DataArray(np.ones(60_000), dims="voxel")
    regions = [Region("mask", "all", np.ones(60_000, bool))]
    options = ComparisonOptions(n_draws=20)
    tracemalloc.start()
    try:
        against_chance(predictions, test, "best")
        assert tracemalloc.get_traced_memory()[1] < 4 * truth.nbytes
        tracemalloc.reset_peak()
        over_images(truth, predictions, ceiling, regions, rule="best", options=options)
        assert tracemalloc.get_traced_memory()[1] < truth.nbytes
    finally:
        tracemalloc.stop()
