"""Whatever became of a stored file: it is read as it was, or named with its cure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from brainstruct.errors import InputError
from brainstruct.store.arrays import read_dataset, write_dataset
from brainstruct.store.tables import read_table, write_table
from damage import damaged, examples

DATASET = xr.Dataset(
    {"r": ("voxel", np.linspace(-1, 1, 40, dtype=np.float32))},
    {"voxel": np.arange(40), "name": ("voxel", [f"v{i}" for i in range(40)])},
    {"subject": "subj01"},
)
TABLE = pd.DataFrame({"nsd_id": [1, 2, 3], "text": ["a", "b c", "\N{BRAIN}"], "r": [0.5, 1.5, 2.5]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("stored")
    write_dataset(DATASET, root / "x.nc", provenance={"seed": 1})
    write_table(TABLE, root / "x.tsv")
    return root


# h5netcdf closes files that it could not open, and trips over what it has not set.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@examples(25)
@given(data=st.data())
def test_a_dataset_is_what_was_stored_or_is_named(folder, tmp_path, data):
    whole = read_dataset(folder / "x.nc")
    path = tmp_path / "x.nc"
    path.write_bytes(data.draw(damaged((folder / "x.nc").read_bytes())))
    try:
        assert read_dataset(path).identical(whole)
    except InputError as error:
        assert error.where == str(path)
        assert "snakemake" in error.cure


@examples(60)
@given(data=st.data())
def test_a_table_is_read_or_named(folder, tmp_path, data):
    path = tmp_path / "x.tsv"
    path.write_bytes(data.draw(damaged((folder / "x.tsv").read_bytes())))
    try:
        assert {"nsd_id", "r"} <= set(read_table(path, ["nsd_id", "r"]).columns)
    except InputError as error:
        assert error.where == str(path)
        assert "snakemake" in error.cure
