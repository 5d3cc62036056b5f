"""What an error means: trouble of the machine is never taken for damage of a file."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct.brain.surfaces import read_patch, read_surface, read_vertex_values
from brainstruct.datasets.nsd.betas import read_session
from brainstruct.datasets.nsd.labels import read_label_table
from brainstruct.datasets.nsd.volumes import read_volume
from brainstruct.errors import InputError
from brainstruct.models.files import inspect_weights
from brainstruct.store import faults
from brainstruct.store.arrays import read_dataset, write_dataset
from brainstruct.store.faults import reading, refusal
from brainstruct.store.files import read_json, write_json
from brainstruct.store.tables import read_table, write_table

COSTLY = ("ownload", "elete", "ebuild", "etch")
"""What nobody should be told of a file that is sound."""

MASK = np.ones((3, 2, 2), bool)


def session(folder: Path, name: str) -> Path:
    path = folder / name
    betas = np.zeros((750, 2, 2, 3), np.int16)
    if name.endswith(".hdf5"):
        with h5py.File(path, "w") as file:
            file["betas"] = betas
    else:
        nibabel.save(nibabel.Nifti1Image(betas.transpose(3, 2, 1, 0), np.eye(4)), path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A sound file of every kind, and what reads it."""
    root = tmp_path_factory.mktemp("sound")
    write_dataset(xr.Dataset({"a": ("x", [1.0, 2.0])}, {"x": [0, 1]}), root / "a.nc")
    write_table(pd.DataFrame({"a": [1]}), root / "a.tsv")
    write_json({"a": 1}, root / "a.json")
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 2, 2), "i2"), np.eye(4)), root / "roi.nii.gz")
    nibabel.freesurfer.write_geometry(str(root / "lh.white"), np.eye(3), np.array([[0, 1, 2]]))
    nibabel.freesurfer.write_morph_data(str(root / "lh.curv"), np.zeros(3))
    (root / "lh.patch").write_bytes(np.array([-1, 0], ">i4").tobytes())
    (root / "roi.ctab").write_text("1 V1\n")
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file({"a": np.zeros(3)}, root / "model.safetensors")
    return [
        (read_dataset, root / "a.nc"),
        (read_table, root / "a.tsv"),
        (lambda path: read_json(path, "Delete it"), root / "a.json"),
        (read_volume, root / "roi.nii.gz"),
        (lambda path: read_session(path, MASK), session(root, "betas_session01.hdf5")),
        (lambda path: read_session(path, MASK), session(root, "betas_session01.nii.gz")),
        (read_surface, root / "lh.white"),
        (lambda path: read_vertex_values(path, 3), root / "lh.curv"),
        (lambda path: read_patch(path, 3), root / "lh.patch"),
        (read_label_table, root / "roi.ctab"),
        (lambda path: inspect_weights(path.parent), root / "model.safetensors"),
    ]


@contextmanager
def no_descriptors():
    """Let this process open no file more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest.fileno(), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def nobody():
    """Be a user who may read nothing."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def refused(read, path) -> InputError | None:
    try:
        read(path)
    except InputError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("trouble", "words"), [(no_descriptors, "too many files"), (nobody, "may not be read")]
)
def test_trouble_of_the_machine_is_not_the_file_s(files, trouble, words):
    """In the words of every library that reads."""
    for read, path in files:
        read(path) if path.name != "lh.patch" else None
        with trouble():
            error = refused(read, path)
        assert error is not None, path
        assert words in error.fault, (path.name, str(error))
        assert not any(word in error.cure for word in COSTLY), str(error)


def test_what_is_published_whole_is_read_without_locks(files):
    """Some network disks refuse every lock, and another program's must not matter."""
    for read, path in files:
        with path.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert refused(read, path) is None or path.name == "lh.patch", path


NUMBERS = (
    *(errno.ENOLCK, errno.EAGAIN, errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ESTALE),
    *(errno.EIO, errno.ENOTCONN, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ELOOP),
)


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
@pytest.mark.parametrize(
    "raised",
    [
        lambda number, said: OSError(number, said),
        lambda number, said: OSError(f"Unable to open file (errno = {number}, message = '{said}')"),
        lambda _, said: Exception(f"I/O error: {said} (os error 5)".replace("(os error 5)", "")),
        lambda number, said: RuntimeError(f"{said} Error #{number}"),
        lambda _, said: ValueError(f"unable to open file <x> in read-only mode: {said}"),
    ],
    ids=["python", "hdf5", "rust", "sentencepiece", "torch"],
)
def test_every_library_s_words_are_understood(tmp_path, number, raised):
    error = raised(number, os.strerror(number))
    (tmp_path / "x").write_text("sound")
    found = refusal(tmp_path / "x", error, "file", "Download it again")
    assert os.strerror(number) in found.fault
    assert "Download" not in found.cure
    wrapped = OSError("Can't load the configuration: make sure it is the correct path")
    wrapped.__cause__ = error
    assert refusal(tmp_path / "x", wrapped, "file", "Download it again").cure == found.cure


def test_lack_of_memory_is_not_damage(tmp_path):
    (tmp_path / "x").write_text("sound")
    for error in (MemoryError(), OSError(errno.ENOMEM, "x"), RuntimeError("Cannot allocate 8 B")):
        found = refusal(tmp_path / "x", error, "file", "Download it again")
        assert "memory" in found.fault
        assert "Download" not in found.cure


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "LFS pointer"),
        (b"<!DOCTYPE html><html>404</html>", "page of the web"),
        (b"{", "is damaged or no JSON"),
        (b"[" * 100_000, "is damaged or no JSON"),
        (b"[1]", "holds list instead of dict"),
        (b"\xff\xfe", "is damaged or no JSON"),
        (None, "does not exist"),
    ],
)
def test_what_a_file_is_instead_is_said(tmp_path, content, fault):
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=fault):
        read_json(path, "Download it again")


def test_a_folder_a_pipe_and_a_circle_are_named(tmp_path):
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "circle.json").symlink_to("circle.json")
    for name, words in (("folder", "is a folder"), ("pipe", "a pipe"), ("circle", "leads to")):
        with pytest.raises(InputError, match=words) as refused:
            read_json(tmp_path / f"{name}.json", "Download it again")
        assert name in refused.value.where


def test_a_package_that_is_missing_is_no_fault_of_the_file(tmp_path):
    with pytest.raises(ImportError), reading(tmp_path, "file", "Download it again"):
        raise ImportError("no h5py")


READS = """
import sys
from brainstruct.errors import InputError
from brainstruct.store.arrays import read_dataset
for path in sys.argv[1:]:
    try:
        read_dataset(path)
    except InputError as error:
        print(error)
"""


def test_a_wrong_byte_among_the_references_does_not_make_the_reader_wait(tmp_path):
    """The size of an object in HDF5's global heap, which has no checksum: h5py would hang."""
    whole = tmp_path / "x.nc"
    write_dataset(
        xr.Dataset({"r": (("a", "b"), np.ones((2, 3)))}, {"a": [0, 1], "b": ["x", "y", "z"]}), whole
    )
    content = whole.read_bytes()
    heap = content.index(b"GCOL")
    at, paths = heap + 16, []
    while content[at] or content[at + 1]:  # the number of an object; 0: what is left
        changed = bytearray(content)
        changed[at + 8] ^= 0xFF
        paths.append(tmp_path / f"{at}.nc")
        paths[-1].write_bytes(changed)
        size = int.from_bytes(content[at + 8 : at + 16], "little")
        at += 16 + (size + 7) // 8 * 8
    assert len(paths) > 4
    done = subprocess.run(
        [sys.executable, "-c", READS, *map(str, paths)],
        env=os.environ | {"PYTHONPATH": "workflow_scripts"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count("is damaged") == len(paths)


def test_a_seal_is_no_matter_to_other_programs(tmp_path):
    path = tmp_path / "x.nc"
    write_dataset(xr.Dataset({"a": ("x", [1.0, 2.0])}, {"x": ["p", "q"]}), path)
    with xr.open_dataset(path, engine="h5netcdf") as there, h5py.File(path) as file:
        assert there["x"].values.tolist() == ["p", "q"]
        assert file["a"][1] == 2.0
    for end in (1, 8, 23, 40):  # a seal that is cut, and one that is another's
        content = path.read_bytes()
        path.write_bytes(content[:-end])
        with pytest.raises(InputError, match="is damaged, cut"):
            read_dataset(path)
        path.write_bytes(
            content[:-end] + bytes([content[-end] ^ 1]) + content[len(content) - end + 1 :]
        )
        assert refused(read_dataset, path) is not None
        path.write_bytes(content)


OTHERWISE = {
    "embedding/shared.py": "where links cannot be, blocks are copied",
    "fetch/web.py": "of the network",
    "jobs/gpus.py": "of locks, whatever it is",
    "store/ledger.py": "of locks: without one, others may write, too",
    "store/marks.py": "a mark that cannot be read says nothing",
    "workflow/hosted.py": "another run was faster",
}
"""Modules that take errors of the system for something that is no trouble of a file."""


def test_nobody_else_decides_what_an_error_of_the_system_means():
    package = Path(faults.__file__).parents[1]
    found = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        catches = re.search(r"except [^:]*\b(OSError|EnvironmentError|IOError|EOFError)\b", text)
        if catches and "brainstruct.store.faults import" not in text and path.name != "faults.py":
            found.append(path.relative_to(package).as_posix())
    assert found == sorted(OTHERWISE)
