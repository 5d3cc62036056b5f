"""Two runs of one job in one work folder: the second after its Snakemake was killed."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import xarray as xr

from brainstruct.embedding import shards
from brainstruct.embedding.shards import SAMPLE_BYTES, SAMPLES, ShardFolder, files_identity

SHARD = xr.Dataset({"n_tokens": ("stimulus", np.arange(3))}, {"stimulus": np.arange(3)})
PART = {"shard_sha256": "p"}


@pytest.fixture
def two(tmp_path):
    return ShardFolder(tmp_path / "work", {"model": "m"}), ShardFolder(
        tmp_path / "work", {"model": "m"}
    )


def during_checksums(monkeypatch, act):
    """Do something whenever a checksum is worked out."""
    real = shards.sha256_of

    def sha256(path):
        act()
        return real(path)

    monkeypatch.setattr(shards, "sha256_of", sha256)


def test_a_shard_that_goes_while_it_is_read_is_computed_again(two, monkeypatch):
    mine, other = two
    other.write(0, PART, SHARD)
    xr.testing.assert_equal(mine.read(0, PART), SHARD)
    during_checksums(monkeypatch, other.discard)
    assert mine.read(0, PART) is None


def test_a_shard_that_goes_when_it_is_known_to_be_whole(two, monkeypatch):
    mine, other = two
    other.write(0, PART, SHARD)
    real = shards.arrays.read_dataset

    def read_dataset(path):
        other.discard()
        return real(path)

    monkeypatch.setattr(shards.arrays, "read_dataset", read_dataset)
    assert mine.read(0, PART) is None


def test_a_shard_that_goes_while_it_is_written_is_no_error(two, monkeypatch, tmp_path):
    mine, other = two
    during_checksums(monkeypatch, other.discard)
    mine.write(0, PART, SHARD)
    mine.discard()
    assert not (tmp_path / "work").exists()


def test_files_are_told_apart_by_content_size_and_time_and_not_by_their_place(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(bytes(10 * SAMPLES * SAMPLE_BYTES))
    (before,) = files_identity([path])
    assert before == json.loads(json.dumps(before))
    (tmp_path / "elsewhere").mkdir()
    moved = path.rename(tmp_path / "elsewhere" / "images")
    assert files_identity([moved]) == [before]

    def put(place, content):
        with moved.open("r+b") as file:
            file.seek(place)
            file.write(content)
        os.utime(moved, ns=(before["changed_ns"], before["changed_ns"]))

    put(moved.stat().st_size - 1, b"x")
    assert files_identity([moved])[0]["sampled_sha256"] != before["sampled_sha256"]
    put(moved.stat().st_size - 1, b"\0")
    assert files_identity([moved]) == [before]
    os.utime(moved)
    assert files_identity([moved]) != [before]
    put(moved.stat().st_size, b"\0")
    assert files_identity([moved])[0]["size"] == before["size"] + 1


def test_small_and_empty_files_have_an_identity(tmp_path):
    for name, content in (("a", b""), ("b", b"x"), ("c", b"y")):
        (tmp_path / name).write_bytes(content)
    found = files_identity([tmp_path / name for name in "abc"])
    assert len({one["sampled_sha256"] for one in found}) == 3
