"""Shared and unique variance with known truth, where components or the size of a study mislead."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.banded import BandedOptions, fit_pair
from brainstruct.encoding.components import principal_components
from brainstruct.encoding.partition import PLANTED, calibrate
from solvers import fit_ridge

ALPHAS = np.logspace(-1, 5, 13)


def spaces(n_images, common, own, *, n_features, seed=0):
    """Two spaces of features: strong directions of no use, and weaker ones, common and own."""
    random = np.random.default_rng(seed)
    shared = random.standard_normal((n_images, common))
    found = []
    for _ in range(2):
        alone = random.standard_normal((n_images, own))
        strong = 12 * random.standard_normal((n_images, 10))
        whole = np.concatenate([strong, shared, alone], axis=1)
        mix = np.linalg.qr(random.standard_normal((n_features, whole.shape[1])))[0].T
        found.append((whole @ mix, alone))
    return shared, found


def responses(sources, shares, n_voxels=60, seed=1):
    random = np.random.default_rng(seed)
    Y = np.sqrt(1 - sum(shares)) * random.standard_normal((len(sources[0]), n_voxels))
    for source, share in zip(sources, shares, strict=True):
        drive = source @ random.standard_normal((source.shape[1], n_voxels))
        Y += np.sqrt(share) * drive / drive.std(0)
    return Y.astype(np.float32)


def test_components_that_lose_what_is_there_are_told_by_the_r2_of_all_features(tell):
    """They keep nearly all of the variance, and what they lose is the unique part."""
    n_train, n_images = 1500, 2300
    shared, ((a, own_a), (b, own_b)) = spaces(n_images, 4, 6, n_features=40)
    Y = responses((shared, own_a, own_b), (0.15, 0.15, 0.15))
    reduced, whole = [], []
    for X in (a, b):
        parts = X[:n_train].astype(np.float32), X[n_train:].astype(np.float32)
        reduced.append(principal_components(*parts, 12))
        fit = fit_ridge(parts[0], Y[:n_train], parts[1], Y[n_train:], ALPHAS)
        whole.append(float(np.mean(fit.r2)))
    found = fit_pair(*reduced, Y[:n_train], Y[n_train:], BandedOptions(ALPHAS)).mean()
    kept = [float(found[name]) for name in ("r2_a", "r2_b")]
    tell(
        "R2 of 12 components against that of all features, "
        f"{100 * reduced[0].variance_kept:.1f} % of the variance kept",
        f"{whole[0]:.3f}",
        f"{kept[0]:.3f}",
    )
    assert min(one.variance_kept for one in reduced) > 0.97
    assert whole == pytest.approx([0.3, 0.3], abs=0.03)
    for all_features, components in zip(whole, kept, strict=True):
        assert all_features - components > 0.1 * all_features
    # Nothing is lost where all components are kept.
    every = principal_components(a[:n_train].astype("f4"), a[n_train:].astype("f4"), 40)
    alone = fit_pair(every, every, Y[:n_train], Y[n_train:], BandedOptions(ALPHAS)).mean()
    assert float(alone["r2_a"]) == pytest.approx(whole[0], abs=0.01)


@pytest.mark.parametrize(("n_train", "width"), [(400, 40), (400, 120)])
def test_a_calibration_says_what_a_planted_part_comes_out_as(n_train, width, tell):
    """In other features of that size, and responses that it has not seen."""
    n_images, joint = n_train + 600, 0.25
    random = np.random.default_rng(5)
    shared = random.standard_normal((n_images, width // 2))
    own = [random.standard_normal((n_images, width // 2)) for _ in range(2)]
    parts = [
        principal_components(X[:n_train], X[n_train:], width)
        for X in (np.concatenate([shared, one], axis=1).astype(np.float32) for one in own)
    ]
    options = BandedOptions(ALPHAS)
    calibration = calibrate(*parts, joint, options)
    assert (np.diff(calibration) > 0).all()
    for planted, said in zip(PLANTED, calibration.values, strict=True):
        shares = joint * planted, joint * (1 - planted) / 2, joint * (1 - planted) / 2
        Y = responses((shared, *own), shares, n_voxels=100)
        found = fit_pair(*parts, Y[:n_train], Y[n_train:], options).mean()
        came = float(found["shared"] / found["r2_joint"])
        tell(f"shared of joint, {n_train} images, {width} components", f"{planted:.2f}",
             f"{came:.2f} (calibration {said:.2f})")  # fmt: skip
        assert came == pytest.approx(said, abs=0.08)
    if width > 100:
        assert calibration[1] < 1 / 3 - 0.04
