"""The private store, on fabricated and on pycortex's own surfaces."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import brainstruct
from brainstruct.errors import InputError
from brainstruct.figures.cortex_store import prepare_store, private_cache, use_store


@pytest.fixture
def filestore(tmp_path: Path) -> Path:
    """A user's filestore with the files that matter here."""
    root = tmp_path / "users"
    for name in ("subj01", "flatless"):
        (root / name / "surfaces").mkdir(parents=True)
        (root / name / "transforms" / "func").mkdir(parents=True)
        (root / name / "surfaces" / "wm_lh.gii").write_text("white")
        (root / name / "transforms" / "func" / "matrices.xfm").write_text("{}")
        (root / name / "overlays.svg").write_text("<svg/>")
    for hemisphere in ("lh", "rh"):
        (root / "subj01" / "surfaces" / f"flat_{hemisphere}.gii").write_text(hemisphere)
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_users_filestore_is_linked_and_never_written_to(filestore, tmp_path):
    before = contents(filestore)
    root = prepare_store(tmp_path / "store", ["subj01"], filestore)
    subject = root / "db" / "subj01"
    assert (subject / "surfaces" / "flat_lh.gii").is_symlink()
    assert not (subject / "overlays.svg").is_symlink()
    (subject / "cache" / "new").write_text("cache")
    (subject / "transforms" / "func" / "mask_thick.nii.gz").write_text("mask")
    (subject / "overlays.svg").write_text("changed")
    assert contents(filestore) == before


def test_preparing_again_keeps_caches_until_the_source_changes(filestore, tmp_path):
    root = prepare_store(tmp_path / "store", ["subj01"], filestore)
    cached = root / "db" / "subj01" / "cache" / "warm"
    cached.write_text("warm")
    prepare_store(tmp_path / "store", ["subj01"], filestore)
    assert cached.is_file()
    (filestore / "subj01" / "surfaces" / "flat_lh.gii").write_text("a new patch")
    prepare_store(tmp_path / "store", ["subj01"], filestore)
    assert not cached.exists()
    assert [entry.name for entry in (root / "db").iterdir()] == ["subj01"]


def test_what_a_killed_run_left_half_made_is_cleared(filestore, tmp_path, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    # As a kill leaves it: nothing of this process tidies up.
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copytree", killed)
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            prepare_store(tmp_path / "store", ["subj01"], filestore)
    left = [entry.name for entry in (tmp_path / "store/db").iterdir()]
    assert len(left) == 1
    assert left[0].startswith(".subj01.")
    root = prepare_store(tmp_path / "store", ["subj01"], filestore)
    assert [entry.name for entry in (root / "db").iterdir()] == ["subj01"]


def test_a_missing_subject_is_named_with_those_there(filestore, tmp_path):
    with pytest.raises(InputError, match=r"no subject 'subj09' \(it has flatless, subj01\)"):
        prepare_store(tmp_path / "store", ["subj09"], filestore)


def test_a_subject_without_flat_surfaces_is_refused(filestore, tmp_path):
    with pytest.raises(InputError, match="no flattened surface of the lh"):
        prepare_store(tmp_path / "store", ["flatless"], filestore)


def test_a_missing_filestore_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        prepare_store(tmp_path / "store", ["S1"], tmp_path / "nowhere")


def test_a_folder_without_a_store_is_refused(tmp_path):
    with pytest.raises(InputError, match="no pycortex store"):
        use_store(tmp_path)


def test_a_second_store_in_one_process_is_refused(s1_store, filestore, tmp_path):
    use_store(s1_store)
    other = prepare_store(tmp_path / "other", ["subj01"], filestore)
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
