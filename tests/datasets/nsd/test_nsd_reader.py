from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pytest
import xarray as xr
from small_study import SESSIONS, Study

from brainstruct.datasets.averaging import average_betas
from brainstruct.datasets.lists import TEST
from brainstruct.datasets.nsd.betas import read_session
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.reader import NsdReader
from brainstruct.datasets.nsd.rois import read_mask, read_roi
from brainstruct.datasets.places import with_regions
from brainstruct.errors import InputError
from brainstruct.store.arrays import read_dataset, write_dataset
from nsd_study import open_nsd

FAMILIES = ["prf-visualrois", "floc-faces", "floc-words"]


def reader_of(layout: Layout, **settings: Any) -> NsdReader:
    return NsdReader(open_nsd(layout, **settings))


def prepare(layout: Layout, study: Study, subject: str = "subj01", **settings: Any) -> xr.Dataset:
    reader = reader_of(layout, **settings)
    return average_betas(reader, subject, study.images(subject), mask="nsdgeneral")


def label_voxels(
    layout: Layout, subject: str, places: xr.Dataset, families: list[str]
) -> xr.Dataset:
    return with_regions(places, reader_of(layout).regions(subject, families, places))


def naive_zscores(sessions: list[np.ndarray]) -> list[float]:
    """Z-scores of one voxel, NaN for saturated trials."""
    scaled: list[float] = []
    for session in sessions:
        change = [value / 300 if abs(value) < 32_767 else np.nan for value in session.tolist()]
        valid = [value for value in change if not np.isnan(value)]
        mean, spread = float(np.mean(valid)), float(np.std(valid, ddof=1))
        scaled += [(value - mean) / spread for value in change]
    return scaled


@pytest.mark.parametrize("subject", ["subj01", "subj03"])
def test_responses_match_a_naive_implementation(study: Study, subject: str) -> None:
    layout = study.layout
    sessions = layout.discover_sessions(subject)
    mask = read_mask(layout, subject)
    raw = [read_session(layout.betas_file(subject, n, "nifti"), mask) for n in sessions.numbers]
    prepared = prepare(layout, study, subject)
    place = {tuple(ijk): column for column, ijk in enumerate(np.argwhere(mask).tolist())}
    trials = dict(zip(study.index(subject)["nsd_id"], study.index(subject)["trials"], strict=True))
    kept = zip(*(prepared[axis].to_numpy().tolist() for axis in "ijk"), strict=True)
    columns = [place[ijk] for ijk in kept]
    assert columns == sorted(columns)
    saturated = {
        column for column in columns if any((abs(b[:, column]) >= 32_767).any() for b in raw)
    }
    assert saturated
    for voxel, column in enumerate(columns):
        if column not in saturated and voxel % 20:
            continue
        scaled = naive_zscores([session[:, column] for session in raw])
        expected = []
        for nsd_id in prepared["stimulus"].to_numpy().tolist():
            valid = [scaled[int(trial)] for trial in trials[nsd_id].split(",")]
            valid = [value for value in valid if not np.isnan(value)]
            expected.append(sum(valid) / len(valid) if valid else 0.0)
        np.testing.assert_allclose(prepared["betas"][:, voxel], expected, atol=2e-6)


def test_dataset_is_labelled(study: Study, tmp_path: Path) -> None:
    prepared = prepare(study.layout, study)
    index = study.index("subj01")
    assert prepared["betas"].dims == ("stimulus", "voxel")
    assert prepared["betas"].dtype == np.float32
    np.testing.assert_array_equal(prepared["stimulus"], index["nsd_id"])
    np.testing.assert_array_equal(prepared["split"], index["split"])
    shared = np.where(index["split"] == TEST, "shared", "")
    np.testing.assert_array_equal(prepared["test_set"], shared)
    np.testing.assert_array_equal(prepared["repetitions"], index["repetitions"])
    write_dataset(prepared, tmp_path / "responses.nc", chunks={"betas": {"voxel": 64}})
    xr.testing.assert_identical(
        read_dataset(tmp_path / "responses.nc").drop_attrs(deep=False),
        prepared.drop_attrs(deep=False),
    )


def test_voxels_carry_their_labels_and_ncsnr(study: Study) -> None:
    prepared = prepare(study.layout, study)
    labelled = label_voxels(study.layout, "subj01", prepared, FAMILIES)
    assert labelled["roi_label"].dims == ("roi", "voxel")
    assert labelled["roi_label"].dtype == np.int16
    assert labelled["roi"].to_numpy().tolist() == FAMILIES
    place = tuple(prepared[axis].to_numpy() for axis in "ijk")
    for family in FAMILIES:
        volume = read_roi(study.layout, "subj01", family)
        np.testing.assert_array_equal(labelled["roi_label"].sel(roi=family), volume.numbers[place])
        names = json.loads(labelled.attrs["roi_labels"])[family]
        assert {int(number): name for number, name in names.items()} == volume.names
    assert np.isfinite(labelled["ncsnr"]).all()
    assert set(np.unique(labelled["roi_label"].sel(roi="prf-visualrois"))) > {1, 2, 3, 4}


def test_counts_add_up(study: Study) -> None:
    prepared = prepare(study.layout, study)
    mask = read_mask(study.layout, "subj01")
    raw = np.stack(
        [read_session(study.layout.betas_file("subj01", n, "hdf5"), mask) for n in (1, 2)]
    )
    dead = (raw == 0).all(axis=1).any(axis=0)
    assert prepared.attrs["n_dead_voxels"] == dead.sum() == 2
    assert prepared.attrs["n_mask_voxels"] == mask.sum()
    assert prepared.attrs["n_voxels"] == prepared.sizes["voxel"] == (~dead).sum()
    saturated = np.isin(raw, (-32_768, -32_767, 32_767))[..., ~dead].sum()
    assert prepared.attrs["n_saturated"] == saturated > 0
    assert prepared.attrs["n_imputed"] == 0
    assert prepared.attrs["sessions"] == 2
    assert list(prepared.attrs["volume_shape"]) == list(mask.shape)


def test_formats_give_the_same_responses(study: Study) -> None:
    one, other = (prepare(study.layout, study, "subj03", format=fmt) for fmt in ("hdf5", "nifti"))
    xr.testing.assert_equal(one, other)
    assert (one.attrs["format"], other.attrs["format"]) == ("hdf5", "nifti")


def test_an_image_without_valid_trial_is_the_session_mean(brain: Layout, study: Study) -> None:
    once = study.index("subj03").query("repetitions == 1 and split == 'train'").iloc[0]
    path = brain.betas_file("subj03", 1, "hdf5")
    before = prepare(brain, study, "subj03")
    x, y, z = (int(before[axis][0]) for axis in "ijk")
    with h5py.File(path, "r+") as file:
        file["betas"][int(once["trials"]), z, y, x] = -32_768
    after = prepare(brain, study, "subj03", format="hdf5")
    assert float(after["betas"].sel(stimulus=once["nsd_id"], voxel=0)) == 0.0
    assert after.attrs["n_imputed"] == before.attrs["n_imputed"] + 1
    np.testing.assert_array_equal(after["betas"][:, 1:], before["betas"][:, 1:])


def test_a_voxel_dead_in_one_session_is_dropped(brain: Layout, study: Study) -> None:
    before = prepare(brain, study)
    x, y, z = (int(before[axis][5]) for axis in "ijk")
    with h5py.File(brain.betas_file("subj01", 2, "hdf5"), "r+") as file:
        file["betas"][:, z, y, x] = 17
    after = prepare(brain, study, format="hdf5")
    assert after.attrs["n_dead_voxels"] == before.attrs["n_dead_voxels"] + 1
    expected = before["betas"].to_numpy()[:, np.arange(before.sizes["voxel"]) != 5]
    np.testing.assert_array_equal(after["betas"], expected)
    assert (x, y, z) not in set(zip(*(after[axis].to_numpy() for axis in "ijk"), strict=True))


def test_a_list_of_other_sessions_is_refused(study: Study) -> None:
    with pytest.raises(InputError, match="list of images of subj01: does not fit the 750 trials"):
        prepare(study.layout, study, sessions=1)


def test_trials_have_runs_and_sessions(study: Study) -> None:
    trials = study.reader.trials("subj01")
    assert trials.groupby(["session", "run"]).size().tolist() == [63, 62] * 12
    assert trials["stimulus"].value_counts().sort_index().tolist() == (
        study.index("subj01")["repetitions"].tolist()
    )


def test_what_is_known_of_the_noise_says_of_how_many_sessions(study: Study) -> None:
    prepared = prepare(study.layout, study, "subj03")
    assert prepared.attrs["sessions"] == SESSIONS["subj03"] == 1
    assert (prepared.attrs["ncsnr_sessions"], prepared.attrs["ncsnr_repetitions"]) == (32, 3)


def test_absent_and_misshapen_files_are_refused(brain: Layout, study: Study) -> None:
    other = nibabel.Nifti1Image(np.ones((12, 14, 9), dtype=np.float32), np.eye(4))
    ncsnr = brain.ncsnr_file("subj01")
    kept = ncsnr.with_suffix(".kept")
    shutil.copy(ncsnr, kept)
    nibabel.save(other, ncsnr)
    with pytest.raises(InputError, match=r"shape \(12, 14, 9\)"):
        prepare(brain, study)
    shutil.move(kept, ncsnr)
    prepared = prepare(brain, study)
    nibabel.save(other, brain.roi_file("subj01", "floc-faces"))
    with pytest.raises(InputError, match=r"shape \(12, 14, 9\)"):
        label_voxels(brain, "subj01", prepared, ["floc-faces"])
    brain.roi_file("subj01", "floc-faces").unlink()
    with pytest.raises(InputError, match="leave floc-faces out"):
        label_voxels(brain, "subj01", prepared, ["floc-faces"])
    with pytest.raises(InputError, match="no subject of the NSD"):
        reader_of(brain).trials("subj9")


def test_a_mask_that_does_not_belong_leaves_no_voxel(brain: Layout, study: Study) -> None:
    mask = np.zeros((12, 14, 8))
    mask[0, 0, :3] = 1
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), brain.roi_file("subj01", "nsdgeneral"))
    with pytest.raises(InputError, match="all 3 voxels of the mask nsdgeneral are constant"):
        prepare(brain, study)


def test_no_roi_family_is_fine(study: Study) -> None:
    prepared = prepare(study.layout, study, "subj03")
    labelled = label_voxels(study.layout, "subj03", prepared, [])
    assert labelled["roi_label"].shape == (0, prepared.sizes["voxel"])
