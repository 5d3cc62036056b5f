"""Voxels without data (NaN in all trials of a session) are left out; other NaN are named."""

from __future__ import annotations

from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest

from brainstruct.datasets.averaging import zscore
from brainstruct.datasets.nsd.betas import inspect_session, read_session
from brainstruct.datasets.nsd.rois import read_mask
from brainstruct.datasets.reading import Trials
from brainstruct.errors import InputError
from nsd_study import prepare

SHAPE = (4, 3, 2)
MASK = np.ones(SHAPE, bool)
NAMES = ["b.hdf5", "chunked.hdf5", "b.nii.gz"]


def betas() -> np.ndarray:
    """Numbers of one's own, [x, y, z, trial]; nothing at two voxels."""
    values = np.random.default_rng(0).normal(size=(*SHAPE, 750)).astype(np.float32)
    values[1, 2, 0] = values[3, 0, 1] = np.nan
    return values


def put(path: Path, values: np.ndarray) -> Path:
    if path.suffix == ".hdf5":
        chunks = (750, 1, 1, 1) if path.name.startswith("chunked") else None
        with h5py.File(path, "w") as file:
            file.create_dataset("betas", data=values.transpose(3, 2, 1, 0), chunks=chunks)
    else:
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_they_are_read_and_counted(tmp_path, name):
    path = put(tmp_path / name, betas())
    found = read_session(path, MASK)
    _, valid, alive = zscore(Trials(found))
    assert np.count_nonzero(~alive) == 2
    assert valid[:, alive].all()
    assert inspect_session(path, MASK) == pytest.approx(2 / 24, abs=0.05)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_voxel_with_numbers_in_some_trials_is_named_with_a_cure(tmp_path, name, wrong):
    values = betas()
    values[2, 1, 1, [0, 70]] = wrong
    path = put(tmp_path / name, values)
    for read in (read_session, inspect_session):
        with pytest.raises(InputError, match=r"voxel \(2, 1, 1\)") as refused:
            read(path, MASK)
        assert "Download" not in refused.value.cure
        assert "out of the mask" in refused.value.cure


def test_a_voxel_that_is_infinite_everywhere_is_no_voxel_without_data(tmp_path):
    values = betas()
    values[0, 0, 0] = np.inf
    with pytest.raises(InputError, match=r"voxel \(0, 0, 0\): inf"):
        read_session(put(tmp_path / "b.hdf5", values), MASK)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("chunked.hdf5", "48000 betas of 64 voxels"),
        ("b.hdf5", "300 betas of 100 voxels"),
        ("b.nii", "300 betas of 100 voxels"),
    ],
)
def test_before_a_study_a_few_voxels_or_volumes_are_looked_at(tmp_path, name, found):
    """All trials of 64 voxels, or 3 trials of all, as far as the file is cut in such pieces."""
    path = put(tmp_path / name, np.full((5, 5, 4, 750), np.inf, np.float32))
    with pytest.raises(InputError, match=found):
        inspect_session(path, np.ones((5, 5, 4), bool))


def test_whole_numbers_need_no_sample(tmp_path):
    path = put(tmp_path / "b.hdf5", np.nan_to_num(betas()).astype(np.int16))
    assert inspect_session(path, MASK) == 0


def test_responses_of_the_other_voxels_are_as_without_them(brain):
    """One session in which a voxel has no data drops it from all, as a constant one would."""
    layout = brain
    whole = prepare(layout, "subj03")
    mask = read_mask(layout, "subj03")
    places = np.argwhere(mask)
    x, y, z = places[len(places) // 2]
    path = layout.betas_file("subj03", 1, "hdf5")
    with h5py.File(path, "r+") as file:
        stored = file["betas"][:].astype(np.float32)
        stored[:, z, y, x] = np.nan
        del file["betas"]
        file.create_dataset("betas", data=stored)
    found = prepare(layout, "subj03")
    assert found.attrs["n_dead_voxels"] == whole.attrs["n_dead_voxels"] + 1
    kept = ~((whole["i"] == x) & (whole["j"] == y) & (whole["k"] == z)).values
    np.testing.assert_allclose(found["betas"].values, whole["betas"].values[:, kept], atol=1e-5)
    assert np.isfinite(found["betas"].values).all()
