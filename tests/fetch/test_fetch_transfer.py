"""One file, on a source that fails as servers do."""

from __future__ import annotations

import fcntl
import hashlib

import pytest

from brainstruct.errors import InputError
from brainstruct.fetch import transfer
from brainstruct.fetch.digest import matches
from brainstruct.fetch.remote import Remote
from brainstruct.fetch.transfer import ATTEMPTS, bytes_begun, fetch_file

CONTENT = bytes(range(256)) * 40


class Flaky:
    """Sends so many bytes per connection; then the connection breaks."""

    def __init__(self, content=CONTENT, breaks=(), chunk=1000):
        self.content, self.breaks, self.chunk = content, list(breaks), chunk
        self.starts = []

    def read(self, start):
        self.starts.append(start)
        stop = start + self.breaks.pop(0) if self.breaks else len(self.content)
        for at in range(start, min(stop, len(self.content)), self.chunk):
            yield self.content[at : min(at + self.chunk, stop)]
        if stop < len(self.content):
            raise ConnectionError("reset by peer")


@pytest.fixture
def waits(monkeypatch):
    """Seconds between attempts, none of which pass."""
    found = []
    monkeypatch.setattr(transfer.time, "sleep", found.append)
    return found


def remote(source=None, **changes):
    """A file as its server describes it."""
    source = source or Flaky()
    etag = hashlib.md5(source.content).hexdigest()
    described = {"address": "s3://b/k", "size": len(source.content), "etag": etag}
    return Remote(**described | changes, read=source.read)


def fetch(source, path, arrived=lambda n_bytes: None, **changes):
    return fetch_file(remote(source, **changes), path, arrived)


def parts(folder):
    return [path for path in folder.iterdir() if path.name.endswith(".part")]


def begin(folder):
    """Stop a download after its first bytes; return the file that it leaves."""

    class StoppedError(Exception):
        pass

    def stop(n_bytes):
        raise StoppedError

    with pytest.raises(StoppedError):
        fetch(Flaky(), folder / "f", stop)
    (part,) = parts(folder)
    return part


def test_breaks_are_survived_and_nothing_comes_twice(tmp_path, waits):
    source, counted = Flaky(breaks=[2500, 0, 0, 3000]), []
    assert fetch(source, tmp_path / "f", counted.append)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert source.starts == [0, 2500, 2500, 2500, 5500]
    assert sum(counted) == len(CONTENT)
    assert waits == [1.0, 2.0, 4.0, 1.0]
    assert parts(tmp_path) == []


def test_a_server_that_sends_nothing_is_given_up_and_what_came_is_kept(tmp_path, waits):
    source = Flaky(breaks=[4000] + [0] * 20)
    with pytest.raises(InputError, match=rf"broke off {ATTEMPTS} times.*reset by peer.*is kept"):
        fetch(source, tmp_path / "f")
    assert bytes_begun(tmp_path / "f", remote()) == 4000
    later = Flaky()
    fetch(later, tmp_path / "f")
    assert later.starts == [4000]


def test_the_rest_of_a_new_version_is_not_put_behind_the_old_one(tmp_path):
    begin(tmp_path)
    new = CONTENT[::-1]
    source = Flaky(new)
    fetch(source, tmp_path / "f")
    assert source.starts == [0]
    assert (tmp_path / "f").read_bytes() == new
    assert parts(tmp_path) == []


def test_a_wrong_beginning_is_noticed(tmp_path):
    begun = begin(tmp_path)
    begun.write_bytes(b"x" * begun.stat().st_size)
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(InputError, match="another content"):
        fetch(Flaky(), tmp_path / "f")
    assert parts(tmp_path) == []
    assert (tmp_path / "f").read_bytes() == b"old"


def test_a_server_that_sends_too_much(tmp_path):
    with pytest.raises(InputError, match="sent 10240 bytes instead of 9000"):
        fetch(Flaky(), tmp_path / "f", size=9000)
    assert not (tmp_path / "f").exists()


def test_two_downloads_of_one_file(tmp_path):
    with begin(tmp_path).open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another download"):
            fetch(Flaky(), tmp_path / "f")


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        fetch(Flaky(), tmp_path / "file" / "f")


def test_an_empty_file(tmp_path):
    source = Flaky(b"")
    fetch(source, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b""


def tag(content, part):
    digests = b"".join(
        hashlib.md5(content[at : at + part]).digest() for at in range(0, len(content), part)
    )
    return f"{hashlib.md5(digests).hexdigest()}-{len(digests) // 16}"


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"etag": "0" * 32}, False),
        ({"etag": "0" * 32, "sha256": hashlib.sha256(CONTENT).hexdigest()}, True),
        ({"sha256": "0" * 64}, False),
        ({"etag": tag(CONTENT, 3000), "part_size": 3000}, True),
        ({"etag": tag(CONTENT, 2048), "part_size": 2048}, True),  # parts without a rest
        ({"etag": tag(CONTENT[::-1], 3000), "part_size": 3000}, False),
        ({"etag": tag(CONTENT, 3000), "part_size": 100}, None),  # parts of several sizes
        ({"etag": tag(CONTENT, 3000)}, None),  # an unusual size nobody told
        ({"etag": ""}, None),
        ({"etag": "0" * 32, "etag_is_digest": False}, None),
        ({"etag": "W/something"}, None),
    ],
)
def test_checksums(tmp_path, changes, same):
    path = tmp_path / "f"
    path.write_bytes(CONTENT)
    assert matches(path, remote(**changes)) is same


def test_usual_part_sizes_are_tried(tmp_path):
    content = CONTENT * 1000
    path = tmp_path / "f"
    path.write_bytes(content)
    assert matches(path, remote(Flaky(content), etag=tag(content, 8 * 2**20))) is True
