"""Few voxels with strong effects among thousands without any: found, and nothing else."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import binom

from brainstruct.encoding.fdr import benjamini_hochberg
from brainstruct.encoding.permutation import FLOOR, PermutationTest
from solvers import fit_ridge

IMAGES, VOXELS, EFFECT = 1000, 15_000, 0.30

NOISE = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "skewed": lambda random, shape: np.exp(random.standard_normal(shape)),
    "spikes": lambda random, shape: (
        random.standard_normal(shape) * (1 + 9 * (random.random(shape) < 0.02))
    ),
}


def pair(n_strong: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Responses, and predictions that correlate with those of the first voxels by `EFFECT`."""
    random = np.random.default_rng(seed)
    truth, prediction = (random.standard_normal((IMAGES, VOXELS), np.float32) for _ in range(2))
    prediction[:, :n_strong] *= np.sqrt(1 - EFFECT**2)
    prediction[:, :n_strong] += EFFECT * truth[:, :n_strong]
    return truth, prediction


def test_sparse_strong_effects_are_found():
    truth, prediction = pair(50, seed=50)
    found = PermutationTest(truth).test(prediction)
    for n_strong in (10, 50):
        voxels = slice(50 - n_strong, None)
        strong = np.arange(50 - n_strong, VOXELS) < 50
        by_rate = benjamini_hochberg(found.p[voxels]) <= 0.05
        assert by_rate[strong].all()
        # A share of the permutations itself cannot be so small that any would be found.
        assert (benjamini_hochberg(np.maximum(found.p[voxels], 1 / IMAGES)) > 0.05).all()
        # 5 % of the discoveries may be false ones; 99 % of studies have no more than this.
        assert by_rate[~strong].sum() <= binom.ppf(0.99, round(n_strong / 0.95), 0.05) + 1
    by_error = found.p_fwe <= 0.05
    assert by_error[:50].all()
    assert by_error[50:].sum() <= 1


def test_it_takes_less_than_a_tenth_of_a_fit():
    """Against a fit of 1,500 images and 400 features; the NSD's are 9,000 and 4,096."""
    random = np.random.default_rng(1)
    truth, prediction = (random.standard_normal((IMAGES, 2500), np.float32) for _ in range(2))
    X = random.standard_normal((1500, 400)).astype(np.float32)
    Y = random.standard_normal((1500, 2500)).astype(np.float32)
    begin = time.process_time()
    fit_ridge(X, Y, X[:IMAGES], truth, np.logspace(0, 6, 25))
    fitted = time.process_time()
    PermutationTest(truth).test(prediction)
    assert time.process_time() - fitted < 0.1 * (fitted - begin)


@pytest.mark.parametrize("kind", NOISE)
def test_tails_are_those_of_the_noise(kind):
    """Correlations of heavy-tailed noise are large more often than the t distribution has them."""
    random = np.random.default_rng(7)
    n_images, n_voxels = 150, 30_000
    truth, prediction = (
        NOISE[kind](random, (n_images, n_voxels)).astype(np.float32) for _ in range(2)
    )
    p = PermutationTest(truth, seed=1).p(prediction)
    for level, at_most in ((0.05, 1.1), (0.01, 1.2), (1e-3, 3), (1e-4, 3)):
        assert (p <= level).sum() <= at_most * level * n_voxels + 3
    assert p.min() > FLOOR


def test_noise_alone_is_never_found():
    runs = {"rate": 0, "error": 0}
    for seed in range(40):
        random = np.random.default_rng(100 + seed)
        truth, prediction = (random.standard_normal((200, 1500), np.float32) for _ in range(2))
        found = PermutationTest(truth, seed=seed).test(prediction)
        runs["rate"] += bool((benjamini_hochberg(found.p) <= 0.05).any())
        runs["error"] += bool((found.p_fwe <= 0.05).any())
    assert max(runs.values()) <= binom.ppf(0.99, 40, 0.05)
