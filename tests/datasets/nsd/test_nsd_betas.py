from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pytest
from small_study import Study

from brainstruct.datasets.nsd import betas as betas_module
from brainstruct.datasets.nsd.betas import read_session
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.rois import read_mask
from brainstruct.datasets.nsd.sessions import BetaFormat
from brainstruct.errors import InputError

SHAPE = (5, 4, 3)
FORMATS: tuple[BetaFormat, ...] = ("hdf5", "nifti")


@pytest.fixture
def mask() -> np.ndarray:
    """Scattered voxels, with single ones, runs along x, and empty planes."""
    inside = np.random.default_rng(1).random(SHAPE) < 0.4
    inside[:, :, 1] = False
    inside[1:4, 2, 0] = True
    return inside


@pytest.fixture
def volumes() -> np.ndarray:
    """Every number differs from every other: [x, y, z, trial]."""
    return np.arange(5 * 4 * 3 * 750, dtype=np.int64).reshape(*SHAPE, 750) - 20_000


def put(path: Path, volumes: np.ndarray, **options: Any) -> Path:
    """Write betas as MATLAB and nibabel do, without the package's own writers."""
    if path.suffix == ".hdf5":
        with h5py.File(path, "w") as file:
            file.create_dataset("betas", data=volumes.transpose(3, 2, 1, 0), **options)
    else:
        nibabel.save(nibabel.Nifti1Image(volumes, np.eye(4)), path)
    return path


@pytest.mark.parametrize("name", ["betas.hdf5", "betas.nii.gz", "betas.nii"])
def test_voxels_are_in_the_order_of_argwhere(
    tmp_path: Path, volumes: np.ndarray, mask: np.ndarray, name: str
) -> None:
    stored = volumes.astype(np.int16)
    found = read_session(put(tmp_path / name, stored), mask)
    assert found.dtype == np.int16
    for column, (x, y, z) in enumerate(np.argwhere(mask)):
        np.testing.assert_array_equal(found[:, column], stored[x, y, z])


@pytest.mark.parametrize("chunks", [None, (750, 1, 1, 1), (50, 3, 4, 5)])
def test_any_storage_of_hdf5_reads_alike(
    tmp_path: Path, volumes: np.ndarray, mask: np.ndarray, chunks: tuple[int, ...] | None
) -> None:
    path = put(tmp_path / "b.hdf5", volumes.astype(np.int16), chunks=chunks)
    np.testing.assert_array_equal(read_session(path, mask), volumes.astype(np.int16)[mask].T)


@pytest.mark.parametrize("subject", ["subj01", "subj03"])
def test_both_formats_of_a_subject_are_identical(study: Study, subject: str) -> None:
    layout: Layout = study.layout
    for name in ("nsdgeneral", "prf-visualrois"):
        mask = read_mask(layout, subject, name)
        one, other = (read_session(layout.betas_file(subject, 1, fmt), mask) for fmt in FORMATS)
        assert one.dtype == other.dtype == np.int16
        assert one.any()
        np.testing.assert_array_equal(one, other)


def test_nifti_is_read_in_blocks(
    study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, volumes: np.ndarray
) -> None:
    mask = np.ones(SHAPE, dtype=bool)
    path = put(tmp_path / "b.nii.gz", volumes.astype(np.int16))
    whole = read_session(path, mask)
    for volumes_at_once in (0, 7, 750):
        monkeypatch.setattr(betas_module, "BLOCK_BYTES", volumes_at_once * mask.size * 2)
        np.testing.assert_array_equal(read_session(path, mask), whole)


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("fmt", FORMATS)
def test_truncated_files_are_refused(
    study: Study, tmp_path: Path, fmt: BetaFormat, kept: float
) -> None:
    source = study.layout.betas_file("subj03", 1, fmt)
    content = source.read_bytes()
    path = tmp_path / source.name
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"is (damaged|empty)") as caught:
        read_session(path, read_mask(study.layout, "subj03"))
    assert caught.value.where == str(path)


@pytest.mark.parametrize("fmt", FORMATS)
def test_foreign_and_missing_files_are_noticed(
    study: Study, tmp_path: Path, fmt: BetaFormat
) -> None:
    path = tmp_path / study.layout.betas_file("subj03", 1, fmt).name
    mask = read_mask(study.layout, "subj03")
    with pytest.raises(InputError, match="does not exist"):
        read_session(path, mask)
    path.write_bytes(b"<html>Access denied</html>" * 100)
    with pytest.raises(InputError, match="is a page of the web"):
        read_session(path, mask)


def test_a_flipped_bit_in_nifti_is_noticed(study: Study, tmp_path: Path) -> None:
    source = study.layout.betas_file("subj03", 1, "nifti")
    plain = bytearray(gzip.decompress(source.read_bytes()))
    packed = bytearray(gzip.compress(bytes(plain), compresslevel=0))
    packed[-9_000] ^= 1
    (tmp_path / source.name).write_bytes(packed)
    with pytest.raises(InputError, match="is damaged"):
        read_session(tmp_path / source.name, read_mask(study.layout, "subj03"))


@pytest.mark.parametrize("name", ["b.hdf5", "b.nii.gz"])
def test_another_shape_than_the_mask_names_both(
    tmp_path: Path, volumes: np.ndarray, name: str
) -> None:
    path = put(tmp_path / name, volumes.astype(np.int16))
    with pytest.raises(InputError, match=r"shape \(5, 4, 3\), the mask has \(3, 4, 5\)"):
        read_session(path, np.ones(SHAPE[::-1], dtype=bool))


@pytest.mark.parametrize("name", ["b.hdf5", "b.nii.gz"])
def test_a_session_has_750_trials(
    tmp_path: Path, volumes: np.ndarray, mask: np.ndarray, name: str
) -> None:
    path = put(tmp_path / name, volumes[..., :740].astype(np.int16))
    with pytest.raises(InputError, match="740 trials instead of 750"):
        read_session(path, mask)


@pytest.mark.parametrize("name", ["b.hdf5", "b.nii.gz"])
def test_other_integers_are_refused(
    tmp_path: Path, volumes: np.ndarray, mask: np.ndarray, name: str
) -> None:
    with pytest.raises(InputError, match="int32 instead of int16"):
        read_session(put(tmp_path / name, volumes.astype(np.int32)), mask)


@pytest.mark.parametrize("name", ["b.hdf5", "b.nii.gz"])
def test_finite_floats_are_accepted(
    tmp_path: Path, volumes: np.ndarray, mask: np.ndarray, name: str
) -> None:
    found = read_session(put(tmp_path / name, volumes.astype(np.float64)), mask)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, volumes[mask].T)


@pytest.mark.parametrize("name", ["b.hdf5", "b.nii.gz"])
def test_non_finite_betas_are_counted_and_located(
    tmp_path: Path, volumes: np.ndarray, mask: np.ndarray, name: str
) -> None:
    spoiled = volumes.astype(np.float32)
    x, y, z = np.argwhere(mask)[3]
    spoiled[x, y, z, [40, 41]] = np.nan, np.inf
    outside = np.argwhere(~mask)[0]
    spoiled[(*outside, 0)] = np.nan
    message = rf"2 betas .* trial 40 of voxel \({x}, {y}, {z}\): nan"
    with pytest.raises(InputError, match=message):
        read_session(put(tmp_path / name, spoiled), mask)


def test_scaled_nifti_is_refused(tmp_path: Path, volumes: np.ndarray, mask: np.ndarray) -> None:
    image = nibabel.Nifti1Image(volumes.astype(np.int16), np.eye(4))
    image.header.set_slope_inter(1 / 300, 0)
    nibabel.save(image, tmp_path / "b.nii.gz")
    with pytest.raises(InputError, match=r"scales its numbers by 0\.0033"):
        read_session(tmp_path / "b.nii.gz", mask)


def test_hdf5_without_betas_is_refused(tmp_path: Path, mask: np.ndarray) -> None:
    with h5py.File(tmp_path / "b.hdf5", "w") as file:
        file["other"] = np.zeros(3)
    with pytest.raises(InputError, match="no data set betas"):
        read_session(tmp_path / "b.hdf5", mask)


def test_a_single_volume_holds_no_trials(tmp_path: Path, mask: np.ndarray) -> None:
    path = put(tmp_path / "b.nii.gz", np.zeros(SHAPE, dtype=np.int16))
    with pytest.raises(InputError, match="holds no trials"):
        read_session(path, mask)


@pytest.mark.parametrize(
    "change",
    [
        lambda volumes: volumes[..., :740].astype(np.int16),
        lambda volumes: volumes.astype(np.int32),
        lambda volumes: volumes.astype(np.uint8),
        lambda volumes: (
            volumes.astype(np.float32) / np.r_[1:751] * np.where(volumes < 9, np.inf, 1)
        ),
    ],
)
@pytest.mark.parametrize("name", ["betas_session02.hdf5", "betas_session02.nii.gz"])
def test_cures_of_content_do_not_begin_with_a_download(
    tmp_path: Path, volumes: np.ndarray, mask: np.ndarray, name: str, change: Any
) -> None:
    with pytest.raises(InputError) as caught:
        read_session(put(tmp_path / name, change(volumes)), mask)
    assert caught.value.cure.startswith(("Write it as", "Leave these voxels out"))
    assert "sessions before" not in caught.value.cure


@pytest.mark.parametrize(("number", "before"), [(1, False), (2, True), (10, True), (21, True)])
@pytest.mark.parametrize("suffix", ["hdf5", "nii.gz"])
def test_nobody_is_told_to_use_no_session(
    tmp_path: Path, mask: np.ndarray, number: int, before: bool, suffix: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_session(tmp_path / f"betas_session{number:02}.{suffix}", mask)
    assert ("sessions before it" in caught.value.cure) == before
