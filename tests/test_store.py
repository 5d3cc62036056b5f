from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct import store
from brainstruct.errors import InputError


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


def test_json_is_stable(tmp_path):
    store.write_json({"b": "é", "a": 1}, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"a": 1, "b": "é"}
    assert (tmp_path / "x.json").read_text(encoding="utf-8").startswith('{\n  "a"')
