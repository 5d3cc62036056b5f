from __future__ import annotations

import errno
import json
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct import store
from brainstruct.errors import InputError
from damage import change_text


@pytest.fixture
def dataset():
    return xr.Dataset(
        {"r": (("layer", "voxel"), np.arange(6, dtype=np.float32).reshape(2, 3))},
        coords={"layer": [0, 4], "voxel": [0, 1, 2]},
    )


def test_dataset_comes_back_with_its_provenance(tmp_path, dataset):
    path = tmp_path / "deep" / "x.nc"
    store.write_dataset(dataset, path, provenance={"seed": 3}, chunks={"r": {"layer": 1}})
    back = store.read_dataset(path, ["r"], ["layer", "voxel"])
    xr.testing.assert_equal(back, dataset)
    assert store.provenance(back) == {"seed": 3}
    assert back["r"].encoding["chunksizes"] == (1, 3)
    assert [child.name for child in path.parent.iterdir()] == ["x.nc"]


def test_same_dataset_same_bytes(tmp_path, dataset):
    for name in ("a.nc", "b.nc"):
        store.write_dataset(dataset, tmp_path / name, provenance={"b": 1, "a": 2})
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_naked_dimension_is_refused(tmp_path):
    with pytest.raises(ValueError, match="without coordinates: x"):
        store.write_dataset(xr.Dataset({"a": ("x", [1, 2])}), tmp_path / "x.nc")


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.txt"
    store.write_text("old", path)

    def fail():
        with store.publish(path) as temporary:
            temporary.write_text("half of the n")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["x.txt"]


def test_damaged_dataset_is_named_with_its_cure(tmp_path, dataset):
    path = tmp_path / "x.nc"
    store.write_dataset(dataset, path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(InputError, match=r"x\.nc: is damaged.*snakemake"):
        store.read_dataset(path)


def test_missing_file_and_missing_variable(tmp_path, dataset):
    with pytest.raises(InputError, match="does not exist"):
        store.read_dataset(tmp_path / "no.nc")
    store.write_dataset(dataset, tmp_path / "x.nc")
    with pytest.raises(InputError, match="lacks r2, instruction"):
        store.read_dataset(tmp_path / "x.nc", ["r", "r2"], ["instruction"])


def test_table_round_trip(tmp_path):
    table = pd.DataFrame({"key": ["NA", "b"], "value": [np.float32(0.1), np.nan]})
    store.write_table(table, tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_text() == "key\tvalue\nNA\t0.100000001\nb\tn/a\n"
    back = store.read_table(tmp_path / "t.tsv", ["key"])
    assert back["key"].tolist() == ["NA", "b"]
    with pytest.raises(InputError, match="lacks the columns other"):
        store.read_table(tmp_path / "t.tsv", ["other"])


@pytest.mark.parametrize("length", [0, 9, 17])
def test_a_table_that_was_cut_is_named(tmp_path, length):
    path = tmp_path / "t.tsv"
    store.write_table(pd.DataFrame({"key": ["a", "b"], "value": [1.5, 2.5]}), path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"t\.tsv: is cut.*snakemake"):
        store.read_table(path)


def test_json_is_stable(tmp_path):
    store.write_json({"b": "é", "a": 1}, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"a": 1, "b": "é"}
    assert (tmp_path / "x.json").read_text(encoding="utf-8").startswith('{\n  "a"')


@pytest.fixture
def stored(tmp_path):
    """A file with numbers, text and attributes of every kind."""
    rng = np.random.default_rng(0)
    dataset = xr.Dataset(
        {
            "states": (("layer", "nsd_id", "feature"), rng.normal(size=(3, 5, 4)).astype("f2")),
            "said": ("nsd_id", ["a dog", "", "two\ncats", "ein Café", "\N{DOG}"], {"unit": "text"}),
            "cut": ("nsd_id", [True, False, True, True, False]),
            "mean": ((), 1.5),
        },
        coords={"layer": [0, 2, 4], "nsd_id": [9, 3, 11, 70, 4], "feature": np.arange(4)},
        attrs={"n": 3, "share": 0.1, "names": ["a", "b"]},
    )
    path = tmp_path / "stored.nc"
    store.write_dataset(dataset, path, provenance={"seed": 1}, chunks={"states": {"layer": 1}})
    return path


# h5netcdf's destructor complains about a file that it could not open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_flipped_bit_is_named_or_changes_nothing(stored):
    whole = store.read_dataset(stored)
    content = stored.read_bytes()
    rng = np.random.default_rng(1)
    named = 0
    used = np.flatnonzero(np.frombuffer(content, np.uint8))  # much of a small file is empty
    for place in rng.choice(used, 150, replace=False):
        changed = bytearray(content)
        changed[place] ^= 1 << rng.integers(8)
        stored.write_bytes(changed)
        try:
            found = store.read_dataset(stored)
        except InputError as error:
            assert "stored.nc" in str(error)
            assert "snakemake" in str(error)
            named += 1
        else:
            xr.testing.assert_identical(found, whole)
    assert named > 5


@pytest.mark.parametrize("name", ["states", "said", "nsd_id"])
def test_changed_values_are_noticed(stored, name):
    """Not only bits: whoever edits a result in place is found out as well."""
    content = stored.read_bytes()
    values = store.read_dataset(stored)[name].values
    raw = b"two\ncats" if name == "said" else values.tobytes()[:32]
    assert content.count(raw) == 1
    place = content.index(raw)
    stored.write_bytes(content[:place] + bytes([raw[0] ^ 1]) + content[place + 1 :])
    with pytest.raises(InputError, match=r"stored\.nc: is damaged"):
        store.read_dataset(stored)


def test_a_slab_is_read_alone_and_verified(stored):
    part = store.read_dataset(stored, ["states"], select={"layer": 2}, only=True)
    assert list(part.data_vars) == ["states"]
    xr.testing.assert_equal(part["states"], store.read_dataset(stored)["states"].sel(layer=[2]))
    with pytest.raises(InputError, match="lacks"):
        store.read_dataset(stored, select={"layer": 3})
    content = stored.read_bytes()
    first = store.read_dataset(stored)["states"].sel(layer=0).values.tobytes()
    place = content.index(first)
    stored.write_bytes(content[:place] + b"\0\0\0\0" + content[place + 4 :])
    xr.testing.assert_equal(
        store.read_dataset(stored, ["states"], select={"layer": 2}, only=True), part
    )
    with pytest.raises(InputError, match="is damaged"):
        store.read_dataset(stored, ["states"], select={"layer": 0}, only=True)


def test_labels_are_verified_before_anything_is_selected_by_them(tmp_path):
    dataset = xr.Dataset(
        {"r": (("instruction", "voxel"), np.arange(4.0).reshape(2, 2))},
        coords={"instruction": ["VQ1", "VQ2"], "kind": ("voxel", ["a", "b"]), "voxel": [0, 1]},
    )
    store.write_dataset(dataset, tmp_path / "x.nc")
    change_text(tmp_path / "x.nc", "VQ2", "VQ3")
    for label in ("VQ1", "VQ2", "VQ3"):
        with pytest.raises(InputError, match="is damaged"):
            store.read_dataset(tmp_path / "x.nc", ["r"], select={"instruction": label}, only=True)
    store.write_dataset(dataset, tmp_path / "x.nc")
    part = store.read_dataset(tmp_path / "x.nc", ["r"], select={"voxel": [1]}, only=True)
    assert part["kind"].values.tolist() == ["b"]


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
    store.write_text("whole", tmp_path / "x.txt")
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
                store.write_table(pd.DataFrame({"a": numbers}), tmp_path / "x.tsv")
            elif what == "folder":
                with store.publish_folder(tmp_path / "x") as draft:
                    (draft / "a").write_bytes(numbers.tobytes())
            else:
                dataset = xr.Dataset({"a": ("x", numbers)}, {"x": np.arange(50_000)})
                store.write_dataset(dataset, tmp_path / "x.nc")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/deep: "):
        store.write_text("x", tmp_path / "file" / "deep" / "x.txt")
    with (
        pytest.raises(InputError, match="file/deep: "),
        store.publish_folder(tmp_path / "file" / "deep" / "x"),
    ):
        pass


@pytest.mark.parametrize("publish", [store.publish, store.publish_folder])
def test_another_file_s_fault_is_not_the_folder_s(tmp_path, publish):
    def forbidden():
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/surface.gii")

    with pytest.raises(PermissionError, match=r"surface\.gii"), publish(tmp_path / "x"):
        forbidden()


@pytest.mark.parametrize("publish", [store.publish, store.publish_folder])
@pytest.mark.parametrize(
    "error",
    [OSError(errno.EIO, "Input/output error"), FileNotFoundError("x"), RuntimeError("defect")],
    ids=repr,
)
def test_an_error_that_is_no_folder_s_has_no_cause(tmp_path, publish, error):
    with pytest.raises(type(error)) as raised, publish(tmp_path / "x"):
        raise error
    assert raised.value is error
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_number_of_a_killed_process_may_come_again(tmp_path, kind):
    left = tmp_path / f".x.{socket.gethostname()}.{os.getpid()}.part"
    if kind == "file":
        left.write_text("half")
        store.write_text("whole", tmp_path / "x")
    else:
        left.mkdir()
        (left / "half").write_text("half")
        with store.publish_folder(tmp_path / "x") as draft:
            assert list(draft.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_folder_appears_whole(tmp_path):
    with store.publish_folder(tmp_path / "deep" / "folder") as draft:
        (draft / "inner").mkdir()
        (draft / "inner" / "file").write_text("new")
        assert not (tmp_path / "deep" / "folder").exists()
    assert (tmp_path / "deep" / "folder" / "inner" / "file").read_text() == "new"
    assert len(list((tmp_path / "deep").iterdir())) == 1


def test_folder_is_replaced_and_a_failure_leaves_the_old_one(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(RuntimeError), store.publish_folder(target) as draft:
        (draft / "new").write_text("new")
        raise RuntimeError
    assert [path.name for path in target.iterdir()] == ["old"]
    with store.publish_folder(target) as draft:
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
    with store.publish_folder(final) as temporary:
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
    with pytest.raises(RuntimeError), store.publish_folder(replaced):
        raise RuntimeError
    assert (old / "f").read_text() == "old"
    replace_by(replaced, "new")
    assert list(replaced.parent.iterdir()) == [replaced]
