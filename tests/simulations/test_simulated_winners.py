"""Winners of which the truth is known: who is clear, and between which layers the best one lies."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.encoding.alignment import find_winners
from brainstruct.encoding.comparison import ComparisonOptions, compare_groups
from brainstruct.encoding.permutation import PermutationTest
from brainstruct.encoding.regions import Region
from brainstruct.encoding.rivals import judge_winners
from brainstruct.encoding.scores import pearson
from brainstruct.encoding.stacking import depth_interval
from ceilings import usable

IMAGES, VOXELS = 200, 400


def raced(strength: np.ndarray, seed: int) -> xr.Dataset:
    """Winners and how sure they are; `strength` (instruction, voxel) of the signal predicted.

    A prediction is a view of the voxel's own signal and of a noise that it alone has. Training
    images, which choose, and test images, which judge, have nothing in common.
    """
    random = np.random.default_rng(seed)
    count, voxels = strength.shape
    names = [f"I{number}" for number in range(count)]
    r, p, cv, predictions = [], [], [], []
    signal = random.standard_normal((2, IMAGES, voxels))
    truth = signal + 1.5 * random.standard_normal(signal.shape)
    test = PermutationTest(truth[1].astype(np.float32), n_permutations=1000, seed=seed)
    for own in strength:
        view = own * signal + 1.5 * random.standard_normal(signal.shape)
        cv.append(pearson(truth[0], view[0]))
        predictions.append(view[1].astype(np.float32))
        r.append(pearson(truth[1], view[1]))
        p.append(test.p(predictions[-1]))
    coords = {"stimulus": np.arange(IMAGES), "voxel": np.arange(voxels)}
    # The last stands for the mean, which nothing here asks for.
    chance = xr.DataArray(
        [*p, p[0]],
        dims=("instruction", "voxel"),
        coords={"instruction": [*names, "mean"], "voxel": coords["voxel"]},
    )
    members = {
        name: [xr.DataArray(one, dims=("stimulus", "voxel"), coords=coords)]
        for name, one in zip(names, predictions, strict=True)
    }
    ceiling = usable(xr.DataArray(np.ones(voxels, np.float32), dims="voxel"), 0.05)
    compared = compare_groups(
        xr.DataArray(truth[1], dims=("stimulus", "voxel"), coords=coords),
        members,
        [(a, b) for row, a in enumerate(names) for b in names[row + 1 :]],
        ceiling,
        [Region("mask", "all", np.ones(voxels, bool))],
        options=ComparisonOptions(n_draws=200),
    )
    scores = xr.Dataset(
        {
            name: (("instruction", "layer", "voxel"), np.array(values)[:, None])
            for name, values in (("r", r), ("cv_score", cv))
        },
        coords={"instruction": names, "layer": [0], "voxel": coords["voxel"]},
    )
    found = find_winners(scores, ceiling, rule="best")
    return judge_winners(found, scores, compared, chance, "best")


def test_of_ten_equal_instructions_none_is_a_clear_winner():
    found = raced(np.ones((10, VOXELS)), seed=1)
    assert found["clear"].mean() < 0.01
    # Somebody has won each voxel all the same, by the scores alone.
    assert (found["instruction_index"] >= 0).all()
    assert found["candidate"].sum("instruction").min() > 1


@pytest.mark.parametrize(("count", "most"), [(2, 0.02), (10, 0.01)])
def test_silent_voxels_among_driven_ones_have_no_clear_winner(count, most):
    # None is held back by its noise ceiling here, as 95 of 100 are in a study.
    strength = np.zeros((count, 2 * VOXELS))
    driver = np.arange(VOXELS) % count
    strength[driver, np.arange(VOXELS)] = 2
    found = raced(strength, seed=2)
    clear, index = found["clear"].values, found["instruction_index"].values
    assert clear[VOXELS:].mean() < most
    assert (index[:VOXELS] == driver).mean() >= 0.95
    assert clear[:VOXELS].mean() >= 0.8
    assert (index[:VOXELS] == driver)[clear[:VOXELS]].mean() > 0.99


def test_the_best_is_among_the_candidates_in_95_of_100_voxels():
    strength = np.ones((4, 4 * VOXELS))
    strength[2] = 1.2
    found = raced(strength, seed=3)
    assert found["candidate"].values[2].mean() >= 0.94
    # It tells something: the sets are not everybody.
    assert found["candidate"].sum("instruction").mean() < 3.9


@pytest.mark.parametrize(
    ("blocks", "peak", "steep", "apart", "widest"),
    [(20, 16, 0.5, 0.3, 8), (20, 0, 0.1, 0.1, 12), (20, 16, 0.05, 0.3, 28), (5, 16, 0.5, 0.3, 14)],
)
def test_the_interval_of_depth_holds_the_best_layer(blocks, peak, steep, apart, widest):
    random = np.random.default_rng(4)
    layers, voxels = np.arange(33), 1500
    alike = np.exp(-np.abs(layers[:, None] - layers) / (33 * apart))
    own = np.linalg.cholesky(alike) @ random.standard_normal((blocks * voxels, 33, 1))
    scores = 0.02 * own.reshape(blocks, voxels, 33).transpose(2, 0, 1)
    scores += 0.07 * random.standard_normal((blocks, voxels))  # images hard for every layer
    scores -= steep * ((layers[:, None, None] - peak) / 33) ** 2
    mean = scores.mean(1)
    stored = (scores - mean[:, None]).astype(np.float16).astype(np.float32)
    low, high = depth_interval(mean.astype(np.float32), stored)
    assert ((low <= peak) & (peak <= high)).mean() >= 0.94
    assert (high - low).mean() < widest
    best = mean.argmax(0)
    assert ((low <= best) & (best <= high)).all()
    # The best layer of the scores alone, as maps showed it, is the best in a minority.
    assert (best == peak).mean() < 0.6
