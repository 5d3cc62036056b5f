"""Shape, type and place of numbers are looked at before any of them is read."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import scipy.io
from nibabel.freesurfer.mghformat import MGHHeader

from brainstruct.brain.surfaces import read_surface, read_vertex_values
from brainstruct.datasets.nsd.betas import inspect_session, read_session
from brainstruct.datasets.nsd.design import read_expdesign
from brainstruct.datasets.nsd.stimuli import StimulusReader
from brainstruct.datasets.nsd.transforms import _read as read_mgh
from brainstruct.datasets.nsd.volumes import read_grid, read_volume
from brainstruct.errors import InputError

SHAPE = (4, 3, 2)
MASK = np.ones(SHAPE, bool)
BETAS = np.zeros((750, *SHAPE[::-1]), np.int16)


def nifti(path: Path, shape: tuple[int, ...], content: bytes = b"") -> Path:
    """Write a header of any shape, with its checksum, and what follows it."""
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    header["dim"][: len(shape) + 1] = [len(shape), *shape]
    header["vox_offset"] = 352
    whole = header.binaryblock + bytes(4) + content
    path.write_bytes(gzip.compress(whole) if path.suffix == ".gz" else whole)
    return path


LONG = 30_000
"""Voxels of each axis: 54 TB of int16."""


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize(
    "read",
    [
        read_volume,
        lambda path: read_volume(path, SHAPE),
        lambda path: read_grid(path, SHAPE),
        lambda path: read_session(path, MASK),
    ],
)
def test_a_header_that_announces_too_much_is_named(tmp_path, name, read):
    started = time.monotonic()
    for shape in ((LONG, LONG, LONG), (LONG, LONG, LONG, 750), (0, 3, 2)):
        with pytest.raises(InputError, match=r"shape \(") as refused:
            read(nifti(tmp_path / name, shape, bytes(2**16)))
        assert "memory" not in str(refused.value)
    assert time.monotonic() - started < 2


def test_zeros_that_are_packed_tightly_are_not_unpacked(tmp_path):
    """Some 3 MB that stand for gigabytes: here 64 KB for 64 MB."""
    path = nifti(tmp_path / "a.nii.gz", (512, 512, 64, 2), bytes(2**26))
    assert path.stat().st_size < 2**17
    with pytest.raises(InputError, match="is no volume"):
        read_volume(path)
    path = nifti(tmp_path / "b.nii.gz", (2**10, 2**10, 2**9), bytes(2**21))
    with pytest.raises(InputError, match="its header announces shape"):
        read_volume(path)


def test_a_volume_has_up_to_268_million_voxels(tmp_path):
    path = nifti(tmp_path / "a.nii", (2**10, 2**9, 2**9))
    os.truncate(path, 352 + 2 * 2**28)  # with a hole that takes no room
    assert read_volume(path).shape == (1024, 512, 512)
    path = nifti(tmp_path / "b.nii", (2**10, 2**9, 2**9 + 1))
    os.truncate(path, 352 + 2 * 2**28 + 2 * 2**19)
    with pytest.raises(InputError, match=r"announces shape \(1024, 512, 513\)"):
        read_volume(path)


def hdf5(path: Path, write: Callable[[h5py.File], object]) -> Path:
    path.unlink(missing_ok=True)
    with h5py.File(path, "w") as file:
        write(file)
    return path


def elsewhere(file: h5py.File, name: str, data: np.ndarray) -> Path:
    other = Path(file.filename).with_name("other.hdf5")
    with h5py.File(other, "w") as target:
        target[name] = data
    return other


def raw(file: h5py.File, name: str, data: np.ndarray) -> None:
    outside = Path(file.filename).with_name("raw.bin")
    outside.write_bytes(data.tobytes())
    file.create_dataset(
        name, data.shape, data.dtype, external=[(str(outside), 0, h5py.h5f.UNLIMITED)]
    )


def virtual(file: h5py.File, name: str, data: np.ndarray) -> None:
    layout = h5py.VirtualLayout(data.shape, data.dtype)
    layout[...] = h5py.VirtualSource(elsewhere(file, name, data), name, data.shape)
    file.create_virtual_dataset(name, layout)


def soft_and_external(file: h5py.File, name: str, data: np.ndarray) -> None:
    file["way"] = h5py.ExternalLink(elsewhere(file, name, data), name)
    file[name] = h5py.SoftLink("/way")


STRANGE: dict[str, tuple[Callable[[h5py.File, str, np.ndarray], object], str]] = {
    "null": (lambda f, name, _: f.create_dataset(name, data=h5py.Empty("i2")), "no shape"),
    "scalar": (lambda f, name, _: f.create_dataset(name, data=np.int16(3)), r"shape \(\)"),
    "group": (lambda f, name, _: f.create_group(name), "no data set"),
    "nothing": (lambda f, name, _: f.create_group("x"), "no data set"),
    "external link": (
        lambda f, name, data: f.__setitem__(
            name, h5py.ExternalLink(elsewhere(f, name, data), name)
        ),
        "a link",
    ),
    "soft link": (soft_and_external, "a link"),
    "broken link": (lambda f, name, _: f.__setitem__(name, h5py.SoftLink("/no")), "a link"),
    "external storage": (raw, "in other files"),
    "virtual": (virtual, "in other files"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_arrays_that_are_none_or_lie_elsewhere_are_named(tmp_path, kind):
    put, words = STRANGE[kind]
    path = hdf5(tmp_path / "betas_session01.hdf5", lambda file: put(file, "betas", BETAS))
    for read in (read_session, inspect_session):
        with pytest.raises(InputError, match=rf"session01\.hdf5: .*{words}"):
            read(path, MASK)
    path = hdf5(tmp_path / "images.hdf5", lambda file: put(file, "imgBrick", BETAS))
    with pytest.raises(InputError, match=rf"images\.hdf5: .*{words}"):
        StimulusReader(path)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((750, 2, 3), "i2"), ((750, 2, 3, 4), "S3"), ((750, 2, 3, 4), [("a", "i2")])],
)
def test_arrays_of_another_kind_are_named(tmp_path, shape, dtype):
    path = hdf5(tmp_path / "b.hdf5", lambda file: file.create_dataset("betas", shape, dtype))
    with pytest.raises(InputError, match="instead of"):
        read_session(path, MASK)


def test_an_image_that_no_memory_holds_is_named(tmp_path):
    path = hdf5(
        tmp_path / "s.hdf5",
        lambda file: file.create_dataset(
            "imgBrick", (73_000, 2**20, 2**20, 3), "u1", chunks=(1, 64, 64, 3)
        ),
    )
    with pytest.raises(InputError, match="holds images of 1048576"):
        StimulusReader(path)


def test_surfaces_that_announce_too_much_are_named(tmp_path):
    huge = np.array([2**31 - 1, 2**30], ">i4").tobytes()
    (tmp_path / "lh.white").write_bytes(b"\xff\xff\xfemade by\n\n" + huge + bytes(100))
    (tmp_path / "lh.curv").write_bytes(b"\xff\xff\xff" + huge + bytes(100))
    with pytest.raises(InputError, match="announces 3221225471"):
        read_surface(tmp_path / "lh.white")
    with pytest.raises(InputError, match="announces 2147483647"):
        read_vertex_values(tmp_path / "lh.curv", 3)
    header = MGHHeader()
    header["dims"] = [2**30, 3, 1, 1]
    header.set_data_dtype(np.float32)
    (tmp_path / "a.mgh").write_bytes(header.binaryblock + bytes(100))
    with pytest.raises(InputError, match="more than a file of"):
        read_mgh(tmp_path / "a.mgh", 3)


def test_fields_of_the_design_are_measured_before_they_are_read(tmp_path):
    path = tmp_path / "d.mat"
    fields = {"masterordering": np.zeros((1, 30_000)), "sharedix": np.zeros((1, 1000))}
    scipy.io.savemat(path, {**fields, "subjectim": np.zeros((8, 10_000, 3))})
    with pytest.raises(InputError, match=r"subjectim has shape \(8, 10000, 3\)"):
        read_expdesign(path)
    fields["sharedix"] = np.full((1, 1000), "x", object)
    scipy.io.savemat(path, {**fields, "subjectim": np.zeros((8, 10_000))})
    with pytest.raises(InputError, match="sharedix is a cell"):
        read_expdesign(path)
