"""Training images shown once or three times: predictions are better where the latter count more."""

from __future__ import annotations

import numpy as np
import pytest

from brainstruct.encoding.scores import pearson
from solvers import fit_ridge

VOXELS, TEST = 200, 500


@pytest.mark.parametrize(("n_train", "n_features"), [(400, 60), (300, 350)])
def test_weights_make_predictions_better(n_train, n_features, tell):
    random = np.random.default_rng(8)
    X = random.standard_normal((n_train + TEST, n_features)).astype(np.float32)
    signal = X @ random.standard_normal((n_features, VOXELS)) / np.sqrt(n_features)
    times = np.where(np.arange(n_train) % 2, 1, 3)
    Y = signal.copy()
    Y[:n_train] += 3 * random.standard_normal((n_train, VOXELS)) / np.sqrt(times)[:, None]
    data = [part.astype(np.float32) for part in (X[:n_train], Y[:n_train], X[n_train:])]
    r = {}
    for name, weights in (("alike", None), ("weighted", times / times.mean())):
        fit = fit_ridge(*data, Y[n_train:].astype(np.float32), np.logspace(0, 5, 11),
                        backend="numpy", weights=weights)  # fmt: skip
        r[name] = pearson(signal[n_train:], fit.prediction)
    better = r["weighted"] - r["alike"]
    tell(
        f"images shown once and three times, {n_train} images, {n_features} features",
        "better by weights",
        f"r with the signal {r['alike'].mean():.3f}, weighted {r['weighted'].mean():.3f}",
    )
    assert better.mean() > 5 * better.std() / np.sqrt(VOXELS)
    assert better.mean() > 0.01
