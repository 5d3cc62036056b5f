"""Files and folders appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import resource
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct.errors import InputError
from brainstruct.store import arrays, files, tables
from brainstruct.store.publishing import publish, publish_folder


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.txt"
    files.write_text("old", path)

    def fail():
        with publish(path) as temporary:
            temporary.write_text("half of the n")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["x.txt"]


def test_what_a_killed_writer_left_is_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = socket.gethostname()
    left = tmp_path / f".x.txt.{host}.{dead.pid}.part.txt"
    others = [
        tmp_path / f".x.txt.{host}.{os.getppid()}.part.txt",  # alive
        tmp_path / f".x.txt.another-host.{dead.pid}.part.txt",
        tmp_path / f".y.txt.{host}.{dead.pid}.part.txt",  # of another file
    ]
    for path in [left, *others]:
        path.write_text("half")
    files.write_text("whole", tmp_path / "x.txt")
    assert not left.exists()
    assert all(path.exists() for path in others)


@pytest.mark.parametrize("what", ["dataset", "table", "folder"])
def test_a_file_that_does_not_fit_is_one_clear_error(tmp_path, what):
    """A limit on the size of files stands for a full disk: both cut a file while it is written."""
    numbers = np.random.default_rng(0).normal(size=50_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(InputError, match="may not hold a file so large"):
            if what == "table":
                tables.write_table(pd.DataFrame({"a": numbers}), tmp_path / "x.tsv")
            elif what == "folder":
                with publish_folder(tmp_path / "x") as draft:
                    (draft / "a").write_bytes(numbers.tobytes())
            else:
                dataset = xr.Dataset({"a": ("x", numbers)}, {"x": np.arange(50_000)})
                arrays.write_dataset(dataset, tmp_path / "x.nc")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/deep: "):
        files.write_text("x", tmp_path / "file" / "deep" / "x.txt")
    with (
        pytest.raises(InputError, match="file/deep: "),
        publish_folder(tmp_path / "file" / "deep" / "x"),
    ):
        pass


@pytest.mark.parametrize("appear", [publish, publish_folder])
def test_another_file_s_fault_is_not_the_folder_s(tmp_path, appear):
    def forbidden():
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/surface.gii")

    with pytest.raises(PermissionError, match=r"surface\.gii"), appear(tmp_path / "x"):
        forbidden()


@pytest.mark.parametrize("appear", [publish, publish_folder])
@pytest.mark.parametrize(
    "error",
    [OSError(errno.EIO, "Input/output error"), FileNotFoundError("x"), RuntimeError("defect")],
    ids=repr,
)
def test_an_error_that_is_no_folder_s_has_no_cause(tmp_path, appear, error):
    with pytest.raises(type(error)) as raised, appear(tmp_path / "x"):
        raise error
    assert raised.value is error
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_number_of_a_killed_process_may_come_again(tmp_path, kind):
    left = tmp_path / f".x.{socket.gethostname()}.{os.getpid()}.part"
    if kind == "file":
        left.write_text("half")
        files.write_text("whole", tmp_path / "x")
    else:
        left.mkdir()
        (left / "half").write_text("half")
        with publish_folder(tmp_path / "x") as draft:
            assert list(draft.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_folder_appears_whole(tmp_path):
    with publish_folder(tmp_path / "deep" / "folder") as draft:
        (draft / "inner").mkdir()
        (draft / "inner" / "file").write_text("new")
        assert not (tmp_path / "deep" / "folder").exists()
    assert (tmp_path / "deep" / "folder" / "inner" / "file").read_text() == "new"
    assert len(list((tmp_path / "deep").iterdir())) == 1


def test_folder_is_replaced_and_a_failure_leaves_the_old_one(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(RuntimeError), publish_folder(target) as draft:
        (draft / "new").write_text("new")
        raise RuntimeError
    assert [path.name for path in target.iterdir()] == ["old"]
    with publish_folder(target) as draft:
        (draft / "new").write_text("new")
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.fixture
def replaced(tmp_path):
    """A folder that was there before."""
    final = tmp_path / "out"
    final.mkdir()
    (final / "f").write_text("old")
    return final


def replace_by(final, content):
    with publish_folder(final) as temporary:
        (temporary / "f").write_text(content)


def test_two_writers_of_one_folder_do_not_fail(replaced, monkeypatch):
    """A job whose Snakemake was killed ends beside its successor."""
    real = Path.replace

    def replace(path, target):
        monkeypatch.undo()
        replaced.mkdir()
        (replaced / "f").write_text("the other's")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    replace_by(replaced, "ours")
    assert (replaced / "f").read_text() == "ours"
    assert list(replaced.parent.iterdir()) == [replaced]


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_an_old_folder_comes_back_if_the_new_one_cannot_take_its_place(
    replaced, monkeypatch, error
):
    def replace(path, target):
        raise error

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(type(error)):
        replace_by(replaced, "new")
    assert (replaced / "f").read_text() == "old"
    assert list(replaced.parent.iterdir()) == [replaced]


def test_an_old_folder_that_cannot_be_deleted_does_not_take_the_new_one_with_it(
    replaced, monkeypatch
):
    """On a network disk, files that another machine holds open cannot go."""
    real = os.rmdir

    def rmdir(path, **options):
        if str(path).endswith(".old"):
            raise OSError(errno.ENOTEMPTY, "Directory not empty", str(path))
        real(path, **options)

    monkeypatch.setattr(os, "rmdir", rmdir)
    replace_by(replaced, "new")
    assert (replaced / "f").read_text() == "new"
    monkeypatch.undo()
    replace_by(replaced, "newer")
    assert (replaced / "f").read_text() == "newer"
    assert list(replaced.parent.iterdir()) == [replaced]


def test_an_old_folder_stays_until_there_is_a_new_one(replaced):
    """Its writer was killed between the two renames."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    old = replaced.with_name(f".out.{socket.gethostname()}.{dead.pid}.part.0.old")
    replaced.rename(old)
    with pytest.raises(RuntimeError), publish_folder(replaced):
        raise RuntimeError
    assert (old / "f").read_text() == "old"
    replace_by(replaced, "new")
    assert list(replaced.parent.iterdir()) == [replaced]


@pytest.fixture
def order(monkeypatch, tmp_path):
    """What is synced and renamed, in that order, below a folder."""
    found = []

    def noted(name, path_of):
        real = getattr(os, name)

        def call(*arguments):
            path = Path(path_of(arguments[0])).relative_to(tmp_path)
            found.append((name, re.sub(r"\.(\w+)\..*\.part", r"draft of \1", str(path))))
            return real(*arguments)

        monkeypatch.setattr(os, name, call)

    noted("fsync", lambda handle: Path(f"/proc/self/fd/{handle}").readlink())
    noted("replace", lambda path: path)
    return found


def test_a_file_is_on_disk_before_its_name_and_its_name_before_all_goes_on(tmp_path, order):
    """A rename that survives a power cut must not show a file whose content did not."""
    with publish(tmp_path / "deep" / "x") as draft:
        draft.write_text("whole")
    assert order == [
        ("fsync", "deep/draft of x"),
        ("replace", "deep/draft of x"),
        ("fsync", "deep"),
    ]


def test_all_of_a_folder_is_on_disk_before_its_name(tmp_path, order):
    with publish_folder(tmp_path / "deep" / "x") as draft:
        (draft / "inner").mkdir()
        (draft / "inner" / "file").write_text("whole")
    draft = "deep/draft of x"
    assert sorted(order[:3]) == [
        ("fsync", draft),
        ("fsync", f"{draft}/inner"),
        ("fsync", f"{draft}/inner/file"),
    ]
    assert order[3:] == [("replace", draft), ("fsync", "deep")]
