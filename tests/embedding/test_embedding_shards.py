"""Two runs of one job in one work folder: the second after its Snakemake was killed."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from brainstruct.embedding import shards
from brainstruct.embedding.shards import ShardFolder

SHARD = xr.Dataset({"n_tokens": ("nsd_id", np.arange(3))}, {"nsd_id": np.arange(3)})
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
    real = shards.store.read_dataset

    def read_dataset(path):
        other.discard()
        return real(path)

    monkeypatch.setattr(shards.store, "read_dataset", read_dataset)
    assert mine.read(0, PART) is None


def test_a_shard_that_goes_while_it_is_written_is_no_error(two, monkeypatch, tmp_path):
    mine, other = two
    during_checksums(monkeypatch, other.discard)
    mine.write(0, PART, SHARD)
    mine.discard()
    assert not (tmp_path / "work").exists()
