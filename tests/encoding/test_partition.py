from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from himalaya.backend import set_backend
from himalaya.kernel_ridge import MultipleKernelRidgeCV
from himalaya.scoring import r2_score_split
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold

from brainstruct.encoding import banded
from brainstruct.encoding.banded import BandedOptions, fit_pair
from brainstruct.encoding.comparison import ComparisonOptions
from brainstruct.encoding.components import Components, principal_components
from brainstruct.encoding.partition import (
    full_r2,
    partition_layers,
    partition_pair,
    share_draws,
)
from brainstruct.encoding.regions import Region
from brainstruct.encoding.resampling import image_weights
from brainstruct.encoding.scores import r_squared
from brainstruct.encoding.shares import partition_table, shared_matrix
from ceilings import usable
from gpu_stand_in import DEVICE, Moves

ALPHAS = np.logspace(0, 5, 11)


def planted(shares, *, n_train=2000, n_test=1500, n_voxels=30, width=12, seed=0, kept=100):
    """Two feature spaces with a common part, and responses with known R2 shares.

    `shares` are the variances of what is shared, unique to a, unique to b; the
    rest up to 1 is noise.
    """
    rng = np.random.default_rng(seed)
    n = n_train + n_test
    common, own_a, own_b = (rng.standard_normal((n, width)) for _ in range(3))
    spaces = [
        (np.concatenate([common, own], axis=1) @ rng.standard_normal((2 * width, 3 * width)))
        for own in (own_a, own_b)
    ]
    Y = np.sqrt(1 - sum(shares)) * rng.standard_normal((n, n_voxels))
    for source, share in zip((common, own_a, own_b), shares, strict=True):
        drive = source @ rng.standard_normal((width, n_voxels))
        Y += np.sqrt(share) * drive / drive.std(0)
    Y = Y.astype(np.float32)
    parts = [
        principal_components(X[:n_train].astype(np.float32), X[n_train:].astype(np.float32), kept)
        for X in spaces
    ]
    return parts, Y[:n_train], Y[n_train:]


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_shares_beyond_0_and_1_are_refused(share):
    (a, b), Y_train, Y_test = planted((0, 0.2, 0.2), n_train=20, n_test=5, n_voxels=2, kept=3)
    with pytest.raises(ValueError, match=f"between 0 and 1, got .*{share}"):
        fit_pair(a, b, Y_train, Y_test, BandedOptions([1.0], [0.5, share]))


@pytest.mark.parametrize("shares", [(0.3, 0.15, 0.05), (0.0, 0.2, 0.2), (0.4, 0.0, 0.0)])
def test_planted_shares_are_recovered(shares):
    (a, b), Y_train, Y_test = planted(shares)
    found = fit_pair(a, b, Y_train, Y_test, BandedOptions(ALPHAS))
    for name, share in zip(("shared", "unique_a", "unique_b"), shares, strict=True):
        assert float(found[name].mean()) == pytest.approx(share, abs=0.03), name
    np.testing.assert_allclose(
        found["shared"] + found["unique_a"] + found["unique_b"], found["r2_joint"], atol=1e-6
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_nothing_is_asked_of_a_gpu_that_it_refuses(weighted):
    """The code that a GPU runs, on a stand-in that refuses to meet tensors of main memory."""
    (a, b), Y_train, Y_test = planted((0.3, 0.2, 0.1), n_train=200, n_test=100, kept=10)
    options = BandedOptions(ALPHAS, shares=[0.3, 0.7], targets_per_batch=13)
    if weighted:
        options = replace(options, weights=np.tile([0.8, 1.2], 100))
    here = fit_pair(a, b, Y_train, Y_test, options)
    with Moves():
        there = fit_pair(a, b, Y_train, Y_test, replace(options, device=DEVICE))
    for name in here.data_vars:
        np.testing.assert_allclose(here[name], there[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("block", [7, 24])
def test_losses_are_those_of_weights_that_are_formed(monkeypatch, block, onednn):
    """Of every share, penalty and voxel, from images that are held out, by plain ridge."""
    monkeypatch.setattr(banded, "_BLOCK", block)
    if not onednn:
        monkeypatch.setattr("torch.backends.mkldnn.is_available", lambda: False)
    (a, b), Y, _ = planted((0.2, 0.1, 0.1), n_train=90, n_test=10, n_voxels=9, kept=15)
    X, weights = np.concatenate([a.train, b.train], axis=1), np.tile([0.5, 1.0, 1.5], 30)
    options = BandedOptions([3.0, 50.0, 4e3], folds=3, targets_per_batch=4)
    shares = [0.0, 0.3, 1.0]
    found = banded._Search(X, Y, weights, 15, shares, options).cross_validate()
    expected = np.zeros((3, 3, 9))
    for fit, held in KFold(3, shuffle=True, random_state=0).split(X):
        w = weights[fit, None]
        means = [(w * one[fit]).sum(0) / w.sum() for one in (X, Y)]
        for row, share in enumerate(shares):
            bands = (X - means[0]) * np.repeat([share, 1 - share], 15) ** 0.5
            A, T = bands[fit], bands[held]
            for column, alpha in enumerate(options.alphas):
                left = A.T @ (w * A) + alpha * np.eye(30)
                guess = T @ np.linalg.solve(left, A.T @ (w * (Y[fit] - means[1])))
                expected[row, column] += ((Y[held] - means[1] - guess) ** 2).mean(0) / 3
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("kept", [100, 5])
def test_agrees_with_himalaya_given_the_same_shares_and_penalties(kept):
    (a, b), Y_train, Y_test = planted(
        (0.2, 0.1, 0.1), n_train=150, n_test=100, n_voxels=25, kept=kept
    )
    assert (a.variance_kept < 0.7) == (kept == 5)
    shares = [0.0, 0.2, 0.5, 0.8, 1.0]
    found = fit_pair(a, b, Y_train, Y_test, BandedOptions(ALPHAS, shares, folds=4, seed=7,
                                                          targets_per_batch=10))  # fmt: skip
    backend = set_backend("numpy")
    # The same scale as the bands have: one unit of variance per feature.
    train, test = [], []
    for one in (a, b):
        scale = np.sqrt(one.n_features * one.variance_kept / one.train.var(0).sum())
        train.append(one.train * scale)
        test.append(one.test * scale)
    model = MultipleKernelRidgeCV(
        kernels="precomputed",
        solver="random_search",
        solver_params={
            "n_iter": np.array([[share, 1 - share] for share in shares]),
            "alphas": ALPHAS,
            "progress_bar": False,
        },
        fit_intercept=True,
        cv=KFold(4, shuffle=True, random_state=7),
    )
    model.fit(np.stack([X.astype(np.float64) @ X.T for X in train]), Y_train.astype(np.float64))
    across = np.stack([T.astype(np.float64) @ X.T for T, X in zip(test, train, strict=True)])
    guess = model.predict(across)
    deltas = np.exp(backend.to_numpy(model.deltas_))
    chosen = deltas[0] / deltas.sum(0)
    same = (np.abs(chosen - found.share) < 1e-6).values
    assert same.mean() >= 0.95  # equal scores may tie, and himalaya then keeps the earlier share
    np.testing.assert_allclose(found.alpha[same], 1 / deltas.sum(0)[same], rtol=1e-4)
    np.testing.assert_allclose(found.r2_joint[same], r_squared(Y_test, guess)[same], atol=1e-3)


def test_split_scores_are_himalaya_s_product_measure():
    (a, b), Y_train, Y_test = planted((0.2, 0.1, 0.1), n_train=300, n_test=200, n_voxels=8)
    # Training and test responses centred: himalaya's function knows no intercept.
    Y_train, Y_test = Y_train - Y_train.mean(0), Y_test - Y_test.mean(0)
    found = fit_pair(a, b, Y_train, Y_test, BandedOptions([50.0], shares=[0.5]))
    np.testing.assert_allclose(found.split_a + found.split_b, found.r2_joint, atol=1e-5)
    one = BandedOptions([50.0], shares=[])
    half = fit_pair(a, b, Y_train, Y_test, one)
    np.testing.assert_allclose(half.split_a + half.split_b, half.r2_joint, atol=1e-5)
    # Where one band alone was chosen, the split gives it everything.
    only_a = half.share.values == 1
    np.testing.assert_allclose(half.split_b[only_a], 0, atol=1e-5)
    set_backend("numpy")
    X, T = (np.concatenate(part, axis=1) for part in ((a.train, b.train), (a.test, b.test)))
    width = a.train.shape[1]
    scale = np.repeat(
        [np.sqrt(one.n_features * one.variance_kept / one.train.var(0).sum()) for one in (a, b)],
        [width, b.train.shape[1]],
    ) * np.sqrt(0.5)
    X, T = X * scale, T * scale
    weights = np.linalg.solve(X.T @ X + 50.0 * np.eye(X.shape[1]), X.T @ Y_train)
    bands = np.stack([T[:, :width] @ weights[:width], T[:, width:] @ weights[width:]])
    expected = r2_score_split(Y_test.astype(np.float64), bands)
    both = found.share.values == 0.5
    assert both.any()
    np.testing.assert_allclose(found.split_a[both], expected[0][both], atol=2e-4)
    np.testing.assert_allclose(found.split_b[both], expected[1][both], atol=2e-4)


def test_which_space_is_named_first_does_not_matter():
    """Spaces of unlike size and worth, so that each needs a penalty of its own."""
    (a, b), Y_train, Y_test = planted((0.1, 0.4, 0.0), n_train=150, n_test=100, n_voxels=12)
    b = Components(b.train[:, :4], b.test[:, :4], b.n_features, 0.3)
    one, other = (
        fit_pair(*pair, Y_train, Y_test, BandedOptions(ALPHAS, shares=[0.2, 0.8]))
        for pair in ((a, b), (b, a))
    )
    for name, same in (
        ("r2_a", "r2_b"), ("r2_b", "r2_a"), ("unique_a", "unique_b"), ("split_a", "split_b"),
        ("shared", "shared"), ("r2_joint", "r2_joint"), ("alpha", "alpha"),
    ):  # fmt: skip
        np.testing.assert_allclose(one[name], other[same], rtol=1e-3, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(one["share"], 1 - other["share"], atol=1e-6)


def test_what_is_not_finite_is_refused_by_name():
    (a, b), Y_train, Y_test = planted((0.3, 0.1, 0.1), n_train=60, n_test=30, n_voxels=3)
    spoilt = a.train.copy()
    spoilt[1, 2] = np.nan
    broken = Components(spoilt, a.test, a.n_features, a.variance_kept)
    with pytest.raises(ValueError, match="first training components hold 1 non-finite"):
        fit_pair(broken, b, Y_train, Y_test, BandedOptions(ALPHAS))
    with pytest.raises(ValueError, match="training features hold 1 non-finite"):
        principal_components(spoilt, a.test, 5)
    Y_test[0] = np.inf
    with pytest.raises(ValueError, match="test responses hold 3 non-finite"):
        fit_pair(a, b, Y_train, Y_test, BandedOptions(ALPHAS))


def test_joint_model_falls_back_on_one_band():
    rng = np.random.default_rng(4)
    (a, _), Y_train, Y_test = planted((0.0, 0.5, 0.0), n_train=200, n_test=400, seed=3)
    useless = Components(
        rng.standard_normal((200, 90)).astype(np.float32),
        rng.standard_normal((400, 90)).astype(np.float32),
        90,
        1.0,
    )
    found = fit_pair(a, useless, Y_train, Y_test, BandedOptions(ALPHAS))
    assert float(found["unique_b"].mean()) > -0.02
    assert float(found["unique_a"].mean()) > 0.3
    assert float((found["share"] >= 0.9).mean()) > 0.9


def test_noise_has_nothing_to_share():
    (a, b), Y_train, Y_test = planted((0, 0, 0), n_train=400, n_test=400, n_voxels=100)
    found = fit_pair(a, b, Y_train, Y_test, BandedOptions(ALPHAS))
    for name in ("shared", "unique_a", "unique_b", "r2_joint"):
        assert float(found[name].mean()) == pytest.approx(0, abs=0.02)
    assert float((found["unique_a"] < 0).mean()) > 0.1  # negative values are kept


@pytest.mark.parametrize("n_features", [20, 120])
def test_components_agree_with_sklearn(n_features):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, n_features)) @ rng.standard_normal((n_features, n_features))
    X = X.astype(np.float32)
    found = principal_components(X[:60], X[60:], 10)
    A, T = ((part - X[:60].mean(0)) / X[:60].std(0) for part in (X[:60], X[60:]))
    reference = PCA(10, svd_solver="full").fit(A)
    sign = np.sign((found.train * reference.transform(A)).sum(0))
    np.testing.assert_allclose(found.train * sign, reference.transform(A), atol=2e-3)
    np.testing.assert_allclose(found.test * sign, reference.transform(T), atol=2e-3)
    assert found.variance_kept == pytest.approx(reference.explained_variance_ratio_.sum(), rel=1e-4)


@pytest.mark.parametrize("n_features", [20, 120])
def test_weak_components_beside_one_that_carries_nearly_all_the_variance(n_features):
    rng = np.random.default_rng(0)
    X = 3e3 * rng.standard_normal((80, 1)) + rng.standard_normal((80, n_features))
    X = X.astype(np.float32)
    found = principal_components(X[:60], X[60:], 10)
    A = (X[:60] - X[:60].mean(0, dtype=float)) / X[:60].std(0, dtype=float)
    reference = PCA(10, svd_solver="full").fit(A)
    spread = found.train.std(0, ddof=1)
    assert spread.shape == (10,)
    np.testing.assert_allclose(spread, reference.explained_variance_**0.5, rtol=0.02)


def test_components_stop_at_the_rank():
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((60, 4)) @ rng.standard_normal((4, 30))).astype(np.float32)
    found = principal_components(X[:50], X[50:], 20)
    assert found.train.shape == (50, 4)
    assert found.variance_kept == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match="constant"):
        principal_components(np.ones((5, 3), np.float32), np.ones((2, 3), np.float32), 2)


def layer_scores():
    """Two instructions, layers 4 and 8, five voxels."""
    cv = xr.DataArray(
        [[[0, 0, 9, 3, 3], [1, 1, 0, 0, 0]], [[3, 0, 0, 0, 0], [0, 1, 0, 9, 5]]],
        dims=("instruction", "layer", "voxel"),
    )
    scores = xr.Dataset({"cv_score": cv}, coords={"instruction": ["IC", "A"], "layer": [4, 8]})
    labels = np.array([[0, 0, 0, 2, 2], [1, 1, -1, 1, 0]], np.int16)
    return scores, xr.Dataset({"roi_label": (("roi", "voxel"), labels)})


def test_layers_are_chosen_by_training_score():
    scores, space = layer_scores()
    reliable = xr.DataArray([True, True, False, False, True], dims="voxel")

    def chosen(layer):
        found = partition_layers(scores, space, reliable, layer)
        return [found.sel(instruction=name).values.tolist() for name in ("IC", "A")]

    assert chosen("best") == [[4] * 5, [8] * 5]
    assert chosen(8) == [[8] * 5] * 2
    # Voxels 3 and 4 are the first family's, 0 and 1 the second's; 2 has none, and no say.
    assert chosen("region") == [[8, 8, 4, 4, 4], [4, 4, 8, 8, 8]]
    assert chosen("voxel") == [[4, 8, 4, 8, 8]] * 2
    with pytest.raises(ValueError, match="layer 5"):
        chosen(5)
    with pytest.raises(ValueError, match="no voxel"):
        partition_layers(scores, space, reliable & False, "best")


def test_each_voxel_is_partitioned_at_its_layers():
    """Voxels of different layers, fitted together, are what they are alone."""
    (a, b), Y_train, Y_test = planted((0.2, 0.1, 0.1), n_train=200, n_test=150, n_voxels=9)
    (c, _), _, _ = planted((0.2, 0.1, 0.1), n_train=200, n_test=150, n_voxels=9, seed=5)
    spaces = {("a", 4): a, ("a", 8): c, ("b", 4): b, ("b", 8): b}
    layers = np.array([4, 8, 4, 8, 8, 4, 4, 4, 8]), np.full(9, 8)
    options = BandedOptions(ALPHAS, folds=3)
    found = partition_pair(
        layers,
        (lambda layer: spaces["a", layer], lambda layer: spaces["b", layer]),
        Y_train,
        Y_test,
        options,
    )
    assert found["voxel"].values.tolist() == list(range(9))
    assert found["layer_a"].values.tolist() == layers[0].tolist()
    assert (found["layer_b"] == 8).all()
    for layer, first in ((4, a), (8, c)):
        alone = fit_pair(first, b, Y_train, Y_test, options)
        here = np.flatnonzero(layers[0] == layer)
        for name in ("shared", "unique_a", "unique_b"):
            np.testing.assert_allclose(found[name][here], alone[name][here], atol=1e-4)
        np.testing.assert_allclose(found["variance_kept_a"][here], first.variance_kept)


def test_the_r2_of_all_features_is_that_of_each_voxel_s_layer():
    r2 = xr.DataArray(
        np.arange(12.0).reshape(2, 2, 3),
        dims=("instruction", "layer", "voxel"),
        coords={"instruction": ["IC", "A"], "layer": [4, 8], "voxel": [7, 8, 9]},
    )
    found = full_r2(xr.Dataset({"r2": r2}), "A", np.array([8, 4, 8], np.int16))
    assert found.tolist() == [9, 7, 11]


def test_shares_of_regions_are_bootstrapped_as_they_are_computed():
    """Where every image counts once they are those of the table, and images weigh as elsewhere."""
    random = np.random.default_rng(0)
    truth = random.standard_normal((60, 5)).astype(np.float32) + 3
    truth[:, 4] = 2  # never varies
    guesses = truth + random.standard_normal((3, 60, 5)).astype(np.float32)
    ceiling = np.array([0.5, 0.8, 0.3, np.nan, 0.9])
    places = [Region("roi", name, np.array(at)) for name, at in (
        ("two", [True, True, False, True, True]), ("none", [False, False, False, True, False]),
    )]  # fmt: skip
    ids = random.permutation(1000)[:60]
    found = share_draws(
        xr.DataArray(truth, dims=("stimulus", "voxel"), coords={"stimulus": ids}),
        xr.DataArray(guesses, dims=("model", "image", "voxel")),
        xr.DataArray(ceiling, dims="voxel"),
        places,
        ComparisonOptions(n_draws=30, seed=3, voxels_at_once=2),
    )
    assert found["label"].values.tolist() == ["two", "none"]
    assert np.isnan(found.sel(region=1)).all()
    for draw, counts in enumerate(image_weights(ids, 30, 3).astype(int)):
        rows = np.repeat(np.arange(60), counts)
        total = ((truth[rows, :2] - truth[:, :2].mean(0)) ** 2).sum(0)
        a, b, joint = (
            (1 - ((truth[rows, :2] - guess[rows, :2]) ** 2).sum(0) / total).mean()
            for guess in guesses
        )
        shares = np.array([a + b - joint, joint - b, joint - a]) / (ceiling[:2] ** 2).mean()
        np.testing.assert_allclose(found.isel(region=0, draw=draw), shares, rtol=1e-4, atol=1e-5)


def test_intervals_of_shares_lie_about_them_with_few_images():
    random = np.random.default_rng(1)
    truth = random.standard_normal((60, 300)).astype(np.float32)
    noise = random.standard_normal((3, 60, 300)).astype(np.float32)
    guesses = 0.1 * noise + np.array([0, 0.5, 0.5], np.float32)[:, None, None] * truth
    a, b, joint = (r_squared(truth, guess).mean() for guess in guesses)
    found = share_draws(
        xr.DataArray(truth, dims=("stimulus", "voxel"), coords={"stimulus": np.arange(60)}),
        xr.DataArray(guesses, dims=("model", "image", "voxel")),
        xr.DataArray(np.ones(300), dims="voxel"),
        [Region("roi", "all", np.ones(300, bool))],
        ComparisonOptions(n_draws=200),
    )
    shares = [a + b - joint, joint - b, joint - a]
    np.testing.assert_allclose(found.mean("draw").squeeze(), shares, atol=0.003)


def test_regional_table_and_matrix():
    space = xr.Dataset(
        {"roi_label": (("roi", "voxel"), np.array([[1, 1, 0]], np.int16))},
        coords={"roi": ["floc"], "voxel": np.arange(3)},
        attrs={"roi_labels": json.dumps({"floc": {"1": "FFA", "2": "OFA"}})},
    )
    values = {"r2_a": [0.2, 0.3, 9], "r2_b": [0.1, 0.4, 9], "r2_joint": [0.35, 0.5, 9]}
    arrays = {name: np.array([value]) for name, value in values.items()}
    arrays["shared"] = arrays["r2_a"] + arrays["r2_b"] - arrays["r2_joint"]
    arrays["unique_a"] = arrays["r2_joint"] - arrays["r2_b"]
    arrays["unique_b"] = arrays["r2_joint"] - arrays["r2_a"]
    arrays["split_a"] = arrays["split_b"] = arrays["r2_joint"] / 2
    arrays["r2_full_a"], arrays["r2_full_b"] = arrays["r2_a"] + 0.1, arrays["r2_b"]
    partitions = xr.Dataset(
        {
            **{name: (("pair", "voxel"), array) for name, array in arrays.items()},
            "calibration": ("planted", [0.0, 0.28, 0.6, 1.0]),
            "layer_a": (("pair", "voxel"), [[3, 3, 9]]),
            "layer_b": (("pair", "voxel"), [[5, 5, 5]]),
        },
        coords={"a": ("pair", ["IC"]), "b": ("pair", ["VQ1"])},
        attrs={"confidence": 0.95},
    )
    # Of the mask, floc and its two labels, none of which is OFA.
    drawn = np.linspace(-1, 1, 41) + np.array([0.3, 0.2, 0.1, np.nan])[:, None]
    drawn = np.stack([drawn, drawn + 1, drawn + 2])[None].astype(np.float32)
    partitions["region_draws"] = ("pair", "part", "region", "draw"), drawn
    partitions["part"] = ["shared", "unique_a", "unique_b"]
    ceiling = xr.DataArray([0.5, 1.0, 0.01], dims="voxel")
    table = partition_table(partitions, space, usable(ceiling), "mask").set_index("label")
    row = table.loc["FFA"]
    assert row["shared"] == pytest.approx((-0.05 + 0.2) / 2)
    assert row["shared_negative"] == 0.5
    assert (row["layer_a"], row["layer_b"]) == (3, 5)
    assert pd.isna(table.loc["OFA", "layer_a"])
    assert row["shared_of_ceiling"] == pytest.approx(0.15 / 1.25)
    assert row["shared_of_joint"] == pytest.approx(0.15 / 0.85)
    assert row["shared_of_joint_of_third"] == 0.28
    ends = [row[f"{name}_ci_{end}"] for name in ("shared", "unique_b") for end in ("low", "high")]
    assert ends == pytest.approx([-0.85, 1.05, 1.15, 3.05])
    assert np.isnan(table.loc["OFA", "shared_ci_low"])
    assert (row["r2_full_a"] - row["r2_a"], row["r2_full_b"]) == pytest.approx((0.1, row["r2_b"]))
    assert table.loc["all", "n_excluded"].tolist() == [1, 0]
    assert np.isnan(table.loc["OFA", "shared"])
    zero = xr.DataArray([0.5, 0.0, 0.01], dims="voxel")
    lenient = partition_table(partitions, space, usable(zero, 0), "mask").set_index("label")
    assert lenient.loc["FFA", "n_excluded"] == 1, "a ceiling of 0 explains nothing"
    matrix = shared_matrix(table.loc[["FFA"]].reset_index())
    assert matrix.loc["VQ1", "IC"] == matrix.loc["IC", "VQ1"] == row["shared"]
    assert matrix.loc["IC", "IC"] == pytest.approx(0.25)
    three = pd.DataFrame(
        {
            "a": ["IC", "IC", "VQ1"],
            "b": ["VQ1", "VQ2", "VQ2"],
            "r2_a": [0.1, 0.2, 0.3],
            "r2_b": [0.5, 0.6, 0.8],
            "shared": [0.01, 0.02, 0.03],
        }
    )
    np.testing.assert_allclose(
        shared_matrix(three), [[0.15, 0.01, 0.02], [0.01, 0.4, 0.03], [0.02, 0.03, 0.7]]
    )
    with pytest.raises(ValueError, match="more than once"):
        shared_matrix(pd.concat([table, table]).reset_index())
