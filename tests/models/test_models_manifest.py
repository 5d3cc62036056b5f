from __future__ import annotations

import json
import os
import resource
from dataclasses import asdict

import pytest

from brainstruct.errors import InputError
from brainstruct.models import manifest as manifests
from brainstruct.models.fetch import checkpoint_in_folder
from brainstruct.models.manifest import read_manifest, require_unchanged

SHARD = "model-00001-of-00001.safetensors"
FILES = {
    "config.json": "{}",
    "model.safetensors.index.json": "{}",
    SHARD: "weights",
    "qformer_tokenizer/tokenizer.json": "{}",
    "README.md": "read me",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "there" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "there"


@pytest.fixture
def hashed(monkeypatch):
    """Names of the files that are read whole."""
    found = []
    real = manifests.sha256_of

    def sha256(path):
        found.append(path.name)
        return real(path)

    monkeypatch.setattr(manifests, "sha256_of", sha256)
    return found


def written(folder, tmp_path, stamped=True):
    """What a job reads of the checkpoint."""
    content = asdict(checkpoint_in_folder(folder))
    stamps = content.pop("stamps")
    (tmp_path / "m.json").write_text(json.dumps(content))
    if stamped:
        (tmp_path / "m.stamps.json").write_text(json.dumps(stamps))
    return read_manifest(tmp_path / "m.json")


@pytest.fixture
def stamps(tmp_path):
    return tmp_path / "m.stamps.json"


def replace(path, content, time_ns=None):
    """Write a file; of the same time as before, if none is given."""
    time_ns = path.stat().st_mtime_ns if time_ns is None else time_ns
    path.write_text(content)
    os.utime(path, ns=(time_ns, time_ns))


def test_an_unchanged_checkpoint_is_not_read(folder, tmp_path, stamps, hashed):
    found = written(folder, tmp_path)
    hashed.clear()
    assert require_unchanged(found, stamps) == folder
    assert hashed == []


def test_what_was_only_copied_is_read_and_accepted(folder, tmp_path, stamps, hashed):
    found = written(folder, tmp_path)
    replace(folder / SHARD, FILES[SHARD], 1)
    hashed.clear()
    assert require_unchanged(found, stamps) == folder
    assert hashed == [SHARD]


def test_what_one_job_has_read_no_other_reads(folder, tmp_path, stamps, hashed):
    found = written(folder, tmp_path)
    recorded = stamps.read_bytes()
    for name in FILES:
        replace(folder / name, FILES[name], 1)
    hashed.clear()
    require_unchanged(found, stamps)
    assert len(hashed) == len(FILES)
    require_unchanged(found, stamps)
    assert len(hashed) == len(FILES)
    # It is an output, whose content the ledger knows.
    assert stamps.read_bytes() == recorded
    replace(folder / SHARD, FILES[SHARD], 2)
    require_unchanged(found, stamps)
    assert hashed[len(FILES) :] == [SHARD]


def test_what_a_job_has_read_counts_for_that_content_alone(folder, tmp_path, stamps):
    found = written(folder, tmp_path)
    replace(folder / SHARD, FILES[SHARD], 1)
    require_unchanged(found, stamps)
    replace(folder / SHARD, "WEIGHTS", 2)
    fetched_again = written(folder, tmp_path)
    replace(folder / SHARD, FILES[SHARD], 1)
    with pytest.raises(InputError, match=f"{SHARD}: has changed"):
        require_unchanged(fetched_again, stamps)


def test_stamps_that_cannot_be_left_fail_no_job(folder, tmp_path, stamps, hashed, caplog):
    found = written(folder, tmp_path)
    replace(folder / SHARD, FILES[SHARD], 1)
    hashed.clear()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        assert require_unchanged(found, stamps) == folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert str(tmp_path) in caplog.records[-1].getMessage()
    require_unchanged(found, stamps)
    assert hashed == [SHARD, SHARD]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "m.json", "m.stamps.json", "m.stamps.seen.json", "there",
    ]  # fmt: skip


@pytest.mark.parametrize("told", [None, "{", "[]", '{"config.json": 1}'])
def test_without_stamps_every_file_is_read(folder, tmp_path, stamps, hashed, told):
    found = written(folder, tmp_path, stamped=False)
    if told is not None:
        stamps.write_text(told)
    hashed.clear()
    require_unchanged(found, stamps)
    assert sorted(hashed) == sorted(name.rpartition("/")[2] for name in FILES)


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize(
    ("content", "time_ns"), [("WEIGHTS", 1), ("more weights", None), ("more weights", 1)]
)
def test_other_weights_are_refused(folder, tmp_path, stamps, stamped, content, time_ns):
    found = written(folder, tmp_path, stamped)
    replace(folder / SHARD, content, time_ns)
    with pytest.raises(InputError, match=rf"{SHARD}: has changed .*-R fetch_checkpoint"):
        require_unchanged(found, stamps)


def test_a_file_that_is_gone(folder, tmp_path, stamps):
    found = written(folder, tmp_path)
    (folder / "qformer_tokenizer/tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"qformer_tokenizer/tokenizer\.json: is missing"):
        require_unchanged(found, stamps)
    with pytest.raises(InputError, match="no such checkpoint folder"):
        require_unchanged(manifests.Manifest("nowhere", "s", "r", found.files, "d"), stamps)


@pytest.mark.parametrize(
    "name", ["model.safetensors", "pytorch_model.bin", "generation_config.json"]
)
def test_a_file_that_might_be_loaded_in_place_of_the_listed_ones(folder, tmp_path, stamps, name):
    found = written(folder, tmp_path)
    (folder / name).write_text("{}")
    with pytest.raises(InputError, match=rf"{name}: was not there .*Remove it, or"):
        require_unchanged(found, stamps)


def test_other_files_may_come(folder, tmp_path, stamps):
    found = written(folder, tmp_path)
    (folder / "notes.md").touch()
    (folder / ".cache").mkdir()
    (folder / ".cache" / "model.safetensors").touch()
    assert require_unchanged(found, stamps) == folder


def test_times_are_no_part_of_the_manifest(folder, tmp_path):
    first = written(folder, tmp_path)
    replace(folder / SHARD, FILES[SHARD], 1)
    assert written(folder, tmp_path) == first


@pytest.mark.parametrize("content", [None, "{", "[]", '{"folder": "f"}'])
def test_a_damaged_manifest(tmp_path, content):
    path = tmp_path / "m.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(
        InputError, match=r"m\.json: (is damaged or |is |does not exist)(no manifest)?"
    ):
        read_manifest(path)
