from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct.errors import InputError
from brainstruct.store import arrays, files, tables
from damage import change_text


@pytest.fixture
def dataset():
    return xr.Dataset(
        {"r": (("layer", "voxel"), np.arange(6, dtype=np.float32).reshape(2, 3))},
        coords={"layer": [0, 4], "voxel": [0, 1, 2]},
    )


def test_dataset_comes_back_with_its_provenance(tmp_path, dataset):
    path = tmp_path / "deep" / "x.nc"
    arrays.write_dataset(dataset, path, provenance={"seed": 3}, chunks={"r": {"layer": 1}})
    back = arrays.read_dataset(path, ["r"], ["layer", "voxel"])
    xr.testing.assert_equal(back, dataset)
    assert arrays.provenance(back) == {"seed": 3}
    assert back["r"].encoding["chunksizes"] == (1, 3)
    assert [child.name for child in path.parent.iterdir()] == ["x.nc"]


def test_same_dataset_same_bytes(tmp_path, dataset):
    for name in ("a.nc", "b.nc"):
        arrays.write_dataset(dataset, tmp_path / name, provenance={"b": 1, "a": 2})
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_naked_dimension_is_refused(tmp_path):
    with pytest.raises(ValueError, match="without coordinates: x"):
        arrays.write_dataset(xr.Dataset({"a": ("x", [1, 2])}), tmp_path / "x.nc")


def test_damaged_dataset_is_named_with_its_cure(tmp_path, dataset):
    path = tmp_path / "x.nc"
    arrays.write_dataset(dataset, path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(InputError, match=r"x\.nc: is damaged.*snakemake"):
        arrays.read_dataset(path)


def test_missing_file_and_missing_variable(tmp_path, dataset):
    with pytest.raises(InputError, match="does not exist"):
        arrays.read_dataset(tmp_path / "no.nc")
    arrays.write_dataset(dataset, tmp_path / "x.nc")
    with pytest.raises(InputError, match="lacks r2, instruction"):
        arrays.read_dataset(tmp_path / "x.nc", ["r", "r2"], ["instruction"])


def test_table_round_trip(tmp_path):
    table = pd.DataFrame({"key": ["NA", "b"], "value": [np.float32(0.1), np.nan]})
    tables.write_table(table, tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_text() == "key\tvalue\nNA\t0.100000001\nb\tn/a\n"
    back = tables.read_table(tmp_path / "t.tsv", ["key"])
    assert back["key"].tolist() == ["NA", "b"]
    with pytest.raises(InputError, match="lacks the columns other"):
        tables.read_table(tmp_path / "t.tsv", ["other"])


@pytest.mark.parametrize("length", [0, 9, 17])
def test_a_table_that_was_cut_is_named(tmp_path, length):
    path = tmp_path / "t.tsv"
    tables.write_table(pd.DataFrame({"key": ["a", "b"], "value": [1.5, 2.5]}), path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"t\.tsv: is cut.*snakemake"):
        tables.read_table(path)


def test_json_is_stable(tmp_path):
    files.write_json({"b": "é", "a": 1}, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"a": 1, "b": "é"}
    assert (tmp_path / "x.json").read_text(encoding="utf-8").startswith('{\n  "a"')


@pytest.fixture
def stored(tmp_path):
    """A file with numbers, text and attributes of every kind."""
    rng = np.random.default_rng(0)
    dataset = xr.Dataset(
        {
            "states": (("layer", "stimulus", "feature"), rng.normal(size=(3, 5, 4)).astype("f2")),
            "said": (
                "stimulus",
                ["a dog", "", "two\ncats", "ein Café", "\N{DOG}"],
                {"unit": "text"},
            ),
            "cut": ("stimulus", [True, False, True, True, False]),
            "mean": ((), 1.5),
        },
        coords={"layer": [0, 2, 4], "stimulus": [9, 3, 11, 70, 4], "feature": np.arange(4)},
        attrs={"n": 3, "share": 0.1, "names": ["a", "b"]},
    )
    path = tmp_path / "stored.nc"
    arrays.write_dataset(dataset, path, provenance={"seed": 1}, chunks={"states": {"layer": 1}})
    return path


# h5netcdf's destructor complains about a file that it could not open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_flipped_bit_is_named_or_changes_nothing(stored):
    whole = arrays.read_dataset(stored)
    content = stored.read_bytes()
    rng = np.random.default_rng(1)
    named = 0
    used = np.flatnonzero(np.frombuffer(content, np.uint8))  # much of a small file is empty
    for place in rng.choice(used, 150, replace=False):
        changed = bytearray(content)
        changed[place] ^= 1 << rng.integers(8)
        stored.write_bytes(changed)
        try:
            found = arrays.read_dataset(stored)
        except InputError as error:
            assert "stored.nc" in str(error)
            assert "snakemake" in str(error)
            named += 1
        else:
            xr.testing.assert_identical(found, whole)
    assert named > 5


@pytest.mark.parametrize("name", ["states", "said", "stimulus"])
def test_changed_values_are_noticed(stored, name):
    """Not only bits: whoever edits a result in place is found out as well."""
    content = stored.read_bytes()
    values = arrays.read_dataset(stored)[name].values
    raw = b"two\ncats" if name == "said" else values.tobytes()[:32]
    assert content.count(raw) == 1
    place = content.index(raw)
    stored.write_bytes(content[:place] + bytes([raw[0] ^ 1]) + content[place + 1 :])
    with pytest.raises(InputError, match=r"stored\.nc: is damaged"):
        arrays.read_dataset(stored)


def test_a_slab_is_read_alone_and_verified(stored):
    part = arrays.read_dataset(stored, ["states"], select={"layer": 2}, only=True)
    assert list(part.data_vars) == ["states"]
    xr.testing.assert_equal(part["states"], arrays.read_dataset(stored)["states"].sel(layer=[2]))
    with pytest.raises(InputError, match="lacks"):
        arrays.read_dataset(stored, select={"layer": 3})
    content = stored.read_bytes()
    first = arrays.read_dataset(stored)["states"].sel(layer=0).values.tobytes()
    place = content.index(first)
    stored.write_bytes(content[:place] + b"\0\0\0\0" + content[place + 4 :])
    xr.testing.assert_equal(
        arrays.read_dataset(stored, ["states"], select={"layer": 2}, only=True), part
    )
    with pytest.raises(InputError, match="is damaged"):
        arrays.read_dataset(stored, ["states"], select={"layer": 0}, only=True)


def test_labels_are_verified_before_anything_is_selected_by_them(tmp_path):
    dataset = xr.Dataset(
        {"r": (("instruction", "voxel"), np.arange(4.0).reshape(2, 2))},
        coords={"instruction": ["VQ1", "VQ2"], "kind": ("voxel", ["a", "b"]), "voxel": [0, 1]},
    )
    arrays.write_dataset(dataset, tmp_path / "x.nc")
    change_text(tmp_path / "x.nc", "VQ2", "VQ3")
    for label in ("VQ1", "VQ2", "VQ3"):
        with pytest.raises(InputError, match="is damaged"):
            arrays.read_dataset(tmp_path / "x.nc", ["r"], select={"instruction": label}, only=True)
    arrays.write_dataset(dataset, tmp_path / "x.nc")
    part = arrays.read_dataset(tmp_path / "x.nc", ["r"], select={"voxel": [1]}, only=True)
    assert part["kind"].values.tolist() == ["b"]


def test_structures_of_hdf5_are_of_the_version_with_checksums(tmp_path, dataset):
    arrays.write_dataset(dataset, tmp_path / "x.nc")
    content = (tmp_path / "x.nc").read_bytes()
    assert content[:9] == b"\x89HDF\r\n\x1a\n\x03"  # a superblock of version 3
    assert content.count(b"OHDR") > len(dataset.variables)  # headers of version 2


def test_damage_that_makes_hdf5_wait_is_named_before_hdf5_sees_it(stored, monkeypatch):
    """Sizes in its heap of texts and references have no checksum, and one of them can loop."""
    content = stored.read_bytes()
    heap = content.index(b"GCOL")
    assert arrays.read_dataset(stored)["said"].values[0] == "a dog"
    monkeypatch.setattr(xr, "open_dataset", lambda *_, **__: pytest.fail("was opened"))
    for place in range(heap, heap + 64):
        for change in (1, 255):
            damaged = bytearray(content)
            damaged[place] ^= change
            stored.write_bytes(damaged)
            with pytest.raises(InputError, match=r"is damaged.* is of another content"):
                arrays.read_dataset(stored)
