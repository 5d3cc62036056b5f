"""The private store, on fabricated and on pycortex's own surfaces."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import brainstruct
from brainstruct.errors import InputError
from brainstruct.figures.cortex_store import find_subject, private_cache, use_store


@pytest.fixture
def filestore(tmp_path: Path) -> Path:
    """A user's filestore, as far as is looked at to find a subject."""
    root = tmp_path / "users"
    for name in ("subj01", "flatless"):
        (root / name / "surfaces").mkdir(parents=True)
    for hemisphere in ("lh", "rh"):
        (root / "subj01" / "surfaces" / f"flat_{hemisphere}.gii").touch()
    return root


def test_a_subject_is_found_in_any_format(filestore):
    flat = filestore / "subj01/surfaces/flat_lh.gii"
    flat.rename(flat.with_suffix(".vtk"))
    assert find_subject(str(filestore), "subj01") == filestore / "subj01"


def test_a_missing_subject_is_named_with_those_there(filestore):
    with pytest.raises(InputError, match=r"no subject 'subj09' \(it has flatless, subj01\)"):
        find_subject(filestore, "subj09")


def test_a_subject_without_flat_surfaces_is_refused(filestore):
    with pytest.raises(InputError, match="no flattened surface of the lh"):
        find_subject(filestore, "flatless")


def test_a_missing_filestore_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        find_subject(tmp_path / "nowhere", "S1")


def test_a_folder_without_a_store_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pycortex store"):
        use_store(tmp_path)


def test_a_second_store_in_one_process_is_refused(s1_store, tmp_path):
    use_store(s1_store)
    other = tmp_path / "other"
    (other / "db").mkdir(parents=True)
    with pytest.raises(RuntimeError, match="start a new process"):
        use_store(other)


def test_the_private_cache_goes_away(s1_store):
    cortex = use_store(s1_store)
    before = cortex.db.get_cache("S1")
    with private_cache() as folder:
        assert Path(cortex.db.get_cache("S1")).is_relative_to(folder)
    assert not folder.exists()
    assert cortex.db.get_cache("S1") == before


def test_nothing_is_written_to_the_users_home(s1_store, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    library = str(Path(brainstruct.__file__).parents[1])
    environment = {
        **{name: value for name, value in os.environ.items() if name != "XDG_CONFIG_HOME"},
        "HOME": str(home),
        "PYTHONPATH": library,
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
    }
    code = (
        "import os, sys; from brainstruct.figures.cortex_store import use_store;"
        "cortex = use_store(sys.argv[1]); print(cortex.db.filestore);"
        "assert 'XDG_CONFIG_HOME' not in os.environ"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(s1_store)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(s1_store / "db")
    assert list(home.rglob("*")) == []
