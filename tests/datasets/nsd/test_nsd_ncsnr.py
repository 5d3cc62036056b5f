from __future__ import annotations

import numpy as np
import pytest
from small_study import Study

from brainstruct.datasets.nsd.betas import read_session
from brainstruct.datasets.nsd.design import trial_nsd_ids
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.ncsnr import compute_ncsnr, read_ncsnr
from brainstruct.datasets.nsd.rois import read_mask
from brainstruct.errors import InputError


def naive_ncsnr(betas: np.ndarray, nsd_id: np.ndarray) -> float:
    """The authors' recipe for one voxel, loop by loop."""
    scaled = np.concatenate(
        [
            (part - part.mean()) / part.std(ddof=1)
            for part in np.split(betas.astype(float), betas.size // 750)
        ]
    )
    variances = [
        np.var(scaled[nsd_id == image], ddof=1)
        for image in np.unique(nsd_id)
        if np.count_nonzero(nsd_id == image) == 3
    ]
    noise = np.sqrt(np.mean(variances))
    return float(np.sqrt(max(0.0, 1 - noise**2)) / noise)


def test_it_is_the_authors_recipe() -> None:
    random = np.random.default_rng(0)
    # Of 600 images some have three trials, others one, two or more.
    nsd_id = random.integers(600, size=1500)
    betas = np.rint(random.normal(0, 300, (1500, 6)) + 200 * random.normal(size=600)[nsd_id, None])
    betas[:750] += 900
    found = compute_ncsnr(betas.astype(np.int16), nsd_id)
    expected = [naive_ncsnr(column.astype(np.int16), nsd_id) for column in betas.T]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("true", [0.3, 0.6, 1.2])
def test_it_recovers_the_ratio_of_signal_and_noise(true: float) -> None:
    random = np.random.default_rng(3)
    nsd_id = random.permutation(np.repeat(np.arange(500), 3))
    signal = random.normal(size=(500, 200))
    betas = signal[nsd_id] + random.normal(size=(1500, 200)) / true
    assert np.median(compute_ncsnr(betas, nsd_id)) == pytest.approx(true, rel=0.05)


def test_constant_voxels_are_nan_and_noise_is_near_zero() -> None:
    random = np.random.default_rng(4)
    nsd_id = np.tile(np.arange(500), 3)
    betas = random.normal(0, 100, (1500, 40)).astype(np.int16)
    betas[750:, 0] = 0
    found = compute_ncsnr(betas, nsd_id)
    assert np.isnan(found[0])
    assert np.median(found[1:]) < 0.15


def test_trials_must_be_whole_sessions_with_threefold_images() -> None:
    with pytest.raises(ValueError, match="no whole sessions"):
        compute_ncsnr(np.zeros((740, 2)), np.zeros(740, dtype=np.int64))
    with pytest.raises(ValueError, match="no image has 3"):
        compute_ncsnr(np.zeros((750, 2)), np.arange(750))


def test_the_volume_of_a_synthetic_subject_fits_its_betas(study: Study) -> None:
    mask = read_mask(study.layout, "subj01")
    betas = [
        read_session(study.layout.betas_file("subj01", session, "hdf5"), mask) for session in (1, 2)
    ]
    expected = compute_ncsnr(np.concatenate(betas), trial_nsd_ids(study.design, "subj01", 2))
    volume = read_ncsnr(study.layout, "subj01", mask.shape)
    np.testing.assert_array_equal(volume[mask], expected)
    assert np.count_nonzero(np.isnan(volume[mask])) == 2


def test_another_shape_is_refused(brain: Layout) -> None:
    with pytest.raises(InputError, match="the subject's other volumes have"):
        read_ncsnr(brain, "subj01", (1, 2, 3))
