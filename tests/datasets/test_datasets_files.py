from __future__ import annotations

import pytest
from toy import Toy

from brainstruct.datasets.files import require_files
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.errors import InputError


def test_missing_files_are_all_named(tmp_path):
    there = tmp_path / "a.mat"
    there.write_bytes(b"x")
    assert require_files(Toy(), [str(there)]) == [{"path": str(there), "bytes": 1}]
    empty = tmp_path / "b.hdf5"
    empty.touch()
    with pytest.raises(InputError) as error:
        require_files(Toy(), [str(there), str(empty), *(f"gone{n}" for n in range(20))])
    assert "21 of 22 files" in str(error.value)
    assert "b.hdf5" in str(error.value)
    assert "and 9 more" in str(error.value)


def test_the_data_set_says_how_to_get_them():
    with pytest.raises(InputError, match=r"(?s)^Toy: 1 of 1 files .*Get them"):
        require_files(Toy(), ["gone"])
    with pytest.raises(InputError, match=r"(?s)^root: .*make fetch_nsd .*s3://.*Or not\.$"):
        require_files(Nsd(nsd_root="root"), ["gone"], ". Or not")
