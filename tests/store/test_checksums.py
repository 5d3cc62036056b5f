from __future__ import annotations

import hashlib

import pytest

from brainstruct.store.fingerprint import sha256_of


@pytest.mark.parametrize("size", [0, 1, 3_000_001])
def test_it_is_that_of_the_whole_content(tmp_path, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    path = tmp_path / "file"
    path.write_bytes(content)
    assert sha256_of(path) == sha256_of(str(path)) == hashlib.sha256(content).hexdigest()


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "nowhere")
