"""The script that puts noise ceilings beside voxels, on files as the workflow hands them over."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import xarray as xr

from brainstruct.brain.ceilings import usable_ceiling
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.encoding.cross_subject import CrossSubjectOptions, without_ceiling
from brainstruct.errors import InputError
from brainstruct.store.arrays import read_dataset, write_dataset
from estimate_ceiling import estimate_ceiling
from estimate_cross_subject import estimate_cross_subject
from nsd_study import open_nsd


@pytest.fixture
def estimate(tmp_path):
    """Estimate the ceilings of five voxels whose cross-subject ceiling is unknown."""
    voxels, images = 5, 4
    responses = xr.Dataset(
        {"betas": (("stimulus", "voxel"), np.zeros((images, voxels), np.float32))},
        coords={
            "voxel": np.arange(voxels),
            **{axis: ("voxel", np.arange(voxels)) for axis in "ijk"},
            "stimulus": np.arange(images),
            "split": ("stimulus", ["train", "test", "test", "test"]),
            "test_set": ("stimulus", ["", "shared", "shared", "shared"]),
            "repetitions": ("stimulus", [3, 3, 2, 1]),
            "ncsnr": ("voxel", np.linspace(0.2, 1, voxels)),
        },
        attrs={"volume_shape": [voxels] * 3, "ncsnr_silent": 0.5},
    )
    numbers = np.zeros([voxels] * 3)
    numbers[2, 2, 2] = 1
    layout = Layout(tmp_path)
    volume = layout.roi_file("subj01", "floc-bodies")
    volume.parent.mkdir(parents=True)
    nibabel.save(nibabel.Nifti1Image(numbers, np.eye(4)), volume)
    write_dataset(responses, tmp_path / "responses.nc")
    none = without_ceiling(voxels, 12, "shares only 12 test images with subj02")
    write_dataset(none, tmp_path / "cross.nc")

    def estimated(preferred):
        estimate_ceiling(
            responses=tmp_path / "responses.nc",
            cross_subject=tmp_path / "cross.nc",
            dataset=open_nsd(layout),
            rois=["floc-bodies"],
            preferred=preferred,
            subject="subj01",
            code="code",
            ceiling=tmp_path / "ceiling.nc",
        )
        return read_dataset(tmp_path / "ceiling.nc")

    return estimated


def test_an_unknown_ceiling_is_kept_beside_the_one_that_counts(estimate):
    space = estimate("ncsnr")
    assert np.isfinite(space["ceiling_ncsnr"]).all()
    assert np.isnan(space["ceiling_cross_subject"]).all()
    assert space.attrs["n_test_images"] == 3
    assert space.attrs["test_set"] == "shared"
    assert space["roi_label"].sel(roi="floc-bodies").values.tolist() == [0, 0, 1, 0, 0]
    assert set(space.variables) >= {"i", "j", "k", "ncsnr"}
    # What a voxel without signal would have, were it among them.
    assert float(space["threshold_ncsnr"]) == pytest.approx(0.5 / np.hypot(0.5, np.sqrt(11 / 18)))


def test_a_cross_subject_ceiling_needs_twice_its_standard_error(estimate, tmp_path):
    known = xr.Dataset(
        {
            "ceiling_cross_subject": ("voxel", np.array([-0.2, 0.3, 0.3, 1.1, 0.5], np.float32)),
            "standard_error": ("voxel", np.array([0.1, 0.2, 0.1, 0.2, 0.25], np.float32)),
        },
        coords={"voxel": np.arange(5)},
        attrs={"note": "", "extrapolated": 1, "n_images": 60, "tau": 1.5},
    )
    write_dataset(known, tmp_path / "cross.nc")
    space = estimate("cross_subject")
    np.testing.assert_array_equal(space["ceiling_cross_subject"], known["ceiling_cross_subject"])
    found = usable_ceiling(space, "cross_subject", "auto")
    assert np.flatnonzero(found.notnull()).tolist() == [2, 3, 4]
    assert found.attrs["threshold"] == "2 standard errors"
    assert space.attrs["cross_subject_tau"] == 1.5


def test_an_unknown_ceiling_cannot_be_the_one_that_counts(estimate, tmp_path):
    with pytest.raises(InputError, match=r"cross\.nc.* shares only 12 .*ceiling to ncsnr"):
        estimate("cross_subject")
    assert not (tmp_path / "ceiling.nc").exists()


@pytest.mark.parametrize(("images", "known"), [(60, True), (20, False)])
def test_a_cross_subject_ceiling_says_which_test_set_it_is_of(tmp_path, images, known):
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((images, 2))
    paths = [tmp_path / f"{name}.nc" for name in ("target", "source", "another")]
    for path in paths:
        responses = xr.Dataset(
            {
                "betas": (
                    ("stimulus", "voxel"),
                    (signal + rng.standard_normal(signal.shape)).astype("f4"),
                )
            },
            coords={
                "stimulus": np.arange(images),
                "split": ("stimulus", ["test"] * images),
                "test_set": ("stimulus", ["shared"] * images),
                "repetitions": ("stimulus", [3] * images),
                "voxel": [0, 1],
            },
        )
        write_dataset(responses, path)
    estimate_cross_subject(
        target=paths[0],
        sources=paths[1:],
        subject="subj01",
        others=["subj02", "subj03"],
        options=CrossSubjectOptions(n_bootstraps=3),
        code="code",
        ceiling=tmp_path / "ceiling.nc",
    )
    found = read_dataset(tmp_path / "ceiling.nc")
    assert found.attrs["test_set"] == "shared"
    assert bool(found["ceiling_cross_subject"].notnull().all()) == known
