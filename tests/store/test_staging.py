"""Copies on the machine's own disk: whole, without a name, and never a reason to fail."""

from __future__ import annotations

import errno
import io
import os
import resource
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from brainstruct.errors import InputError
from brainstruct.store.arrays import open_dataset, write_dataset
from brainstruct.store.staging import stage


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def blocks(tmp_path):
    """A file of some pieces, and a link to one elsewhere, as an embeddings_store leaves it."""
    own, shared = tmp_path / "own.nc", tmp_path / "shared.nc"
    own.write_bytes(os.urandom((1 << 25) + 7))
    (tmp_path / "store.nc").write_bytes(os.urandom(300_000))
    shared.symlink_to(tmp_path / "store.nc")
    return [own, shared]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_copies_are_whole_and_nothing_of_them_stays(scratch, blocks):
    before = open_files()
    copies = stage(blocks)
    for path, copy in copies.items():
        assert os.fstat(copy.fileno()).st_dev == scratch.stat().st_dev
        assert os.fstat(copy.fileno()).st_nlink == 0  # a kill frees it
        copy.seek(0)
        assert copy.read() == path.read_bytes()
    assert list(scratch.iterdir()) == []
    assert list(copies) == blocks
    for copy in copies.values():
        copy.close()
    assert open_files() == before


def test_where_there_is_no_room_nothing_is_read_and_a_warning_says_so(scratch, blocks, caplog):
    def never(*_, **__):
        raise AssertionError("read")

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = open_files()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "open", never)
            assert stage(blocks) == {}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    (warning,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert warning == f"inputs are read in place, not from {scratch}: [Errno 27] File too large"
    assert open_files() == before


def test_a_disk_that_fails_amid_copying_is_no_reason_to_fail(scratch, blocks, monkeypatch, caplog):
    opened = tempfile.TemporaryFile

    class Fails(io.BytesIO):
        def __init__(self):
            super().__init__()
            self.real = opened()

        def fileno(self):
            return self.real.fileno()

        def write(self, _):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        def writelines(self, lines):
            for line in lines:
                self.write(line)

    monkeypatch.setattr(tempfile, "TemporaryFile", Fails)
    assert stage(blocks) == {}
    assert "Input/output error" in caplog.text


def test_what_is_wrong_with_a_file_is_said_of_it(scratch, blocks, monkeypatch):
    class Fails(io.BytesIO):
        def read(self, _):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "open", lambda *_, **__: Fails())
    with pytest.raises(InputError, match=r"own\.nc: cannot be reached: its disk"):
        stage(blocks)
    assert list(scratch.iterdir()) == []


def test_a_copy_that_is_not_whole_is_not_read(tmp_path):
    path = tmp_path / "x.nc"
    write_dataset(xr.Dataset({"r": ("voxel", np.arange(3.0))}, coords={"voxel": range(3)}), path)
    whole = path.read_bytes()
    with open_dataset(path, ["r"], copy=io.BytesIO(whole)) as found:
        assert found["r"].values.tolist() == [0, 1, 2]
    for damaged in (whole[:-100], whole[:50] + b"?" + whole[51:]):
        with pytest.raises(InputError, match=r"x\.nc: is damaged, cut"):
            open_dataset(path, ["r"], copy=io.BytesIO(damaged))
