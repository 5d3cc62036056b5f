"""Contents are known again, whole or by samples; times of outputs are Snakemake's."""

from __future__ import annotations

import os

import numpy as np
import pytest

from brainstruct.store.fingerprint import (
    CLOCK,
    PIECES,
    WHOLE,
    digest_of,
    sample_of,
    set_time,
    size_of,
    time_of,
)


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(np.random.default_rng(0).bytes(3 * WHOLE))
    return path


def test_small_files_are_sampled_whole(tmp_path):
    path = tmp_path / "small"
    path.write_bytes(b"x" * WHOLE)
    assert sample_of(path) == digest_of(path)


@pytest.mark.parametrize("at", [0, 1.0, 0.5], ids=["start", "end", "middle"])
def test_a_sample_sees_a_piece_that_differs(large, at):
    before = sample_of(large)
    with large.open("r+b") as file:
        file.seek(int(at * (3 * WHOLE - 1)))
        # As long as the distance of two pieces: it must meet one.
        file.write(b"\0" * min(3 * WHOLE // PIECES, 3 * WHOLE - file.tell()))
    assert sample_of(large) != before
    assert large.stat().st_size == 3 * WHOLE


def test_a_digest_sees_one_bit_and_a_sample_may_not(large):
    before = digest_of(large), sample_of(large)
    with large.open("r+b") as file:
        file.seek(3 * WHOLE // PIECES - 10)  # between two pieces
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    assert digest_of(large) != before[0]
    assert sample_of(large) == before[1]


def test_a_folder_is_its_files_and_their_names(tmp_path):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner/a").write_text("a")
    (folder / "b").write_text("bb")
    before = digest_of(folder), sample_of(folder)
    assert size_of(folder) == 3
    (folder / CLOCK).touch()  # Snakemake's own
    assert (digest_of(folder), sample_of(folder)) == before
    (folder / "b").rename(folder / "c")
    assert digest_of(folder) != before[0]
    assert sample_of(folder) != before[1]


def test_times_are_of_the_link_and_of_a_folder_s_clock(tmp_path):
    target = tmp_path / "target"
    target.write_text("x")
    link = tmp_path / "link"
    link.symlink_to(target)
    before = time_of(target)
    set_time(link, 10**18)
    assert (time_of(link), time_of(target)) == (10**18, before)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / CLOCK).touch()
    set_time(folder, 10**18 + 5)
    assert time_of(folder) == (folder / CLOCK).stat().st_mtime_ns == 10**18 + 5
