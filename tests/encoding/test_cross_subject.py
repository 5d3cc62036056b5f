from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from brainstruct.encoding.ceiling import ncsnr_ceiling
from brainstruct.encoding.cross_subject import (
    CrossSubjectOptions,
    cross_subject_ceiling,
    shared_images,
    subject_subsets,
    without_ceiling,
)
from brainstruct.encoding.dual import linear_kernel, out_of_fold_predictions
from brainstruct.encoding.saturation import pooled_tau, shape_of

OPTIONS = CrossSubjectOptions(
    n_bootstraps=40, inner_folds=3, log10_alphas=tuple(np.linspace(-2, 3, 6))
)


def brains(n_subjects, *, n_images=800, n_latent=8, n_voxels=400, snr=1.0, seed=0):
    """Responses of subjects who share a latent signal, and each voxel's true ceiling."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n_images, n_latent))
    found, ceilings = {}, {}
    for subject in range(n_subjects):
        signal = latent @ rng.standard_normal((n_latent, n_voxels)) / np.sqrt(n_latent)
        ratio = snr * rng.uniform(0.5, 1.5, n_voxels)
        signal = signal / signal.std(0) * ratio
        responses = signal + rng.standard_normal(signal.shape)
        found[f"s{subject}"] = responses.astype(np.float32)
        ceilings[f"s{subject}"] = ncsnr_ceiling(ratio, [1])
    return found, ceilings


def test_out_of_fold_predictions_agree_with_a_plain_loop():
    rng = np.random.default_rng(0)
    sources = [rng.standard_normal((60, p)).astype(np.float32) + 2 for p in (7, 90)]
    mix = sources[0] @ rng.standard_normal((7, 3)) + sources[1][:, :3]
    Y = (mix + rng.standard_normal((60, 3)) + 5).astype(np.float32)
    outer, inner = KFold(4, shuffle=True, random_state=0), KFold(3, shuffle=True, random_state=1)
    alphas = [0.01, 0.3, 10.0]
    kernels = [linear_kernel(X) for X in sources]
    found = out_of_fold_predictions(kernels, Y, alphas, outer.split(Y), inner)
    for train, held in outer.split(Y):
        blocks = []
        for X in sources:
            X = X.astype(float) - X[train].mean(0)
            blocks.append(X / np.sqrt((X[train] ** 2).sum() / len(train) * len(sources)))
        X = np.concatenate(blocks, axis=1)  # its kernel has mean eigenvalue 1
        for voxel in range(3):
            scores = []
            for alpha in alphas:
                found_r = []
                for fit, val in inner.split(train):
                    model = Ridge(alpha).fit(X[train][fit], Y[train][fit, voxel])
                    guess = model.predict(X[train][val])
                    found_r.append(np.corrcoef(guess, Y[train][val, voxel])[0, 1])
                scores.append(np.mean(found_r))
            model = Ridge(alphas[int(np.argmax(scores))]).fit(X[train], Y[train, voxel])
            expected = model.predict(X[held]) - Y[train, voxel].mean()
            np.testing.assert_allclose(found[held, voxel], expected, atol=2e-4)


def test_a_fold_in_which_a_voxel_does_not_vary_has_no_say_in_its_penalty():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 60)).astype(np.float32)
    Y = (X[:, :5].sum(1) + 4 * rng.standard_normal(90))[:, None].astype(np.float32)
    inner, split = KFold(3), [(np.arange(60), np.arange(60, 90))]
    Y[:20] = 1  # all that the first fold holds out
    both, weak, strong = (
        out_of_fold_predictions([linear_kernel(X)], Y, alphas, split, inner)[60:]
        for alphas in ([1e-3, 10], [1e-3], [10])
    )
    assert not np.allclose(weak, strong, rtol=0.1)
    np.testing.assert_array_equal(both, strong)


def test_prediction_without_skill_is_not_punished():
    rng = np.random.default_rng(1)
    Y = rng.standard_normal((100, 1000)).astype(np.float32)
    noise = {"s1": rng.standard_normal((100, 30)).astype(np.float32)}
    r = cross_subject_ceiling(Y, noise, OPTIONS)["r_by_size"].values[0]
    # Pooled over folds instead of within them, this mean is about -0.07.
    assert abs(r.mean()) < 4 * r.std() / np.sqrt(1000)


@pytest.mark.parametrize("curve", ["spearman_brown", "exponential"])
@pytest.mark.parametrize("tau", [0.3, 0.7, 4, 40])
def test_the_tau_of_a_saturating_curve_is_recovered(curve, tau):
    sizes = np.arange(1, 8)
    assert pooled_tau(sizes, 0.4 * shape_of(sizes, tau, curve), curve) == pytest.approx(
        tau, rel=2e-3
    )


def test_a_mean_of_noisy_views_grows_as_spearman_and_brown_say():
    """The correlation of a signal with the mean of x noisy views of it."""
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(200_000)
    target = signal + 0.75 * rng.standard_normal(signal.size)
    views = signal + 1.5 * rng.standard_normal((4, signal.size))
    sizes = (1, 2, 3, 4)
    r = [np.corrcoef(target, views[:x].mean(0))[0, 1] for x in sizes]
    assert pooled_tau(sizes, r) == pytest.approx(1.5**2, rel=0.05)
    shape = shape_of(sizes, pooled_tau(sizes, r))
    assert shape @ r / (shape @ shape) == pytest.approx(1 / np.sqrt(1 + 0.75**2), abs=0.01)


@pytest.mark.parametrize("curve", ["spearman_brown", "exponential"])
def test_a_curve_that_does_not_saturate_has_no_tau(curve):
    assert pooled_tau([1, 2, 3], [0.1, 0.2, 0.3], curve) is None
    assert pooled_tau([1, 2, 3], [-0.2, -0.3, -0.3], curve) is None
    # Falling values: saturated from the start.
    assert pooled_tau([1, 2, 3], [0.4, 0.4, 0.3], curve) == pytest.approx(0.05, rel=1e-6)
    with pytest.raises(ValueError, match="two sizes"):
        pooled_tau([1], [0.2])


def test_both_ceilings_recover_the_true_one():
    # Few noisy voxels per subject: several subjects see the signal better than one.
    responses, ceilings = brains(4, n_images=700, n_latent=6, n_voxels=200)
    target, truth = responses.pop("s0"), ceilings["s0"]
    found = cross_subject_ceiling(target, responses, replace(OPTIONS, inner_folds=2))
    estimate = found["ceiling_cross_subject"].values
    by_size = found["r_by_size"].values.mean(1)
    assert found.attrs["extrapolated"] == 1
    assert (estimate > 2 * found["standard_error"].values).all()
    assert (np.diff(by_size) > 0.001).all()
    assert estimate.mean() == pytest.approx(truth.mean(), abs=0.03)
    # Single voxels: within the sampling error of a correlation.
    assert np.median(np.abs(estimate - truth)) < 0.04


def test_weak_voxels_have_a_ceiling_too():
    responses, ceilings = brains(3, n_images=800, n_voxels=400, n_latent=5, snr=0.5)
    target, truth = responses.pop("s0")[:, :100], ceilings["s0"][:100]
    estimate = cross_subject_ceiling(target, responses, OPTIONS)["ceiling_cross_subject"].values
    assert np.nanmean(estimate - truth) == pytest.approx(0, abs=0.03)


def test_one_other_subject_gives_no_ceiling():
    responses, _ = brains(2)
    target = responses.pop("s0")
    found = cross_subject_ceiling(target, responses, OPTIONS)
    assert (found.attrs["extrapolated"], np.isnan(found.attrs["tau"])) == (0, True)
    assert "one other subject" in found.attrs["note"]
    assert found["ceiling_cross_subject"].isnull().all()
    assert found["standard_error"].isnull().all()
    assert (found["r_by_size"].values[0] > 0.3).all()


def test_estimates_are_deterministic_and_subsets_limited():
    responses, _ = brains(3, n_images=120, n_voxels=10)
    target = responses.pop("s0")
    one, two = (cross_subject_ceiling(target, responses, OPTIONS) for _ in range(2))
    assert one.identical(two)
    subsets = subject_subsets(list("abcdefg"), 5, np.random.default_rng(0))
    assert [len(subsets[size]) for size in range(1, 8)] == [5, 5, 5, 5, 5, 5, 1]
    assert len(set(subsets[3])) == 5


def test_only_images_that_all_subjects_saw_are_shared():
    assert shared_images([np.array([5, 1, 9]), np.array([9, 5]), np.array([5, 2, 9])]).tolist() == [
        5,
        9,
    ]


def test_too_few_images_leave_every_voxel_without_a_ceiling():
    found = without_ceiling(4, 12, "shares only 12")
    assert found["ceiling_cross_subject"].isnull().all()
    assert found["standard_error"].isnull().all()
    assert found.attrs["n_images"] == 12
    assert found.attrs["note"] == "shares only 12"


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="at least one other"):
        cross_subject_ceiling(np.zeros((10, 2), np.float32), {}, OPTIONS)
    with pytest.raises(ValueError, match="has 9 images, the target 10"):
        cross_subject_ceiling(
            np.zeros((10, 2), np.float32), {"s1": np.zeros((9, 2), np.float32)}, OPTIONS
        )
