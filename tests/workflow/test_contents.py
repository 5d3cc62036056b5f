"""What files hold decides, not when they were written or where they lie."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from brainstruct.workflow.contents import Contents
from brainstruct.workflow.places import Places


@pytest.fixture
def study(tmp_path):
    (tmp_path / "nsd").mkdir()
    (tmp_path / "nsd/betas.hdf5").write_bytes(b"1" * 5000)
    return tmp_path


def look(study, nsd="nsd"):
    contents = Contents(Places(str(study / "results"), {"<data.nsd_root>": str(study / nsd)}))
    found = contents.of([study / nsd / "betas.hdf5", study / nsd / "absent"])
    contents.write()
    return found


def test_times_alone_change_nothing(study):
    before = look(study)
    assert before.keys() == {"data.nsd_root/betas.hdf5"}
    os.utime(study / "nsd/betas.hdf5", ns=(5, 5))
    assert look(study) == before


def test_another_content_of_the_same_size_and_time_is_seen(study):
    before = look(study)
    path = study / "nsd/betas.hdf5"
    status = path.stat()
    other = study / "other"
    other.write_bytes(b"2" * 5000)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(path)  # as `cp -p` and `rsync -a` leave it
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert look(study) != before


def test_moved_files_are_the_same(study):
    before = look(study)
    shutil.copytree(study / "nsd", study / "moved")
    assert look(study, "moved") == before


def test_a_file_is_read_once(study, monkeypatch):
    before = look(study)
    read = []
    monkeypatch.setattr("brainstruct.workflow.contents.sample_of", read.append)
    assert look(study) == before
    assert read == []


def test_a_damaged_memory_costs_a_look(study):
    before = look(study)
    memory = study / "results/ledger/contents.json"
    json.loads(memory.read_text())
    memory.write_text("{")
    assert look(study) == before
