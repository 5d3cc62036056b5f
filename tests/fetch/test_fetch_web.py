"""A web server that is not S3, and the archive that comes from it."""

from __future__ import annotations

import errno
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from brainstruct.datasets.nsd import caption_archive as captions
from brainstruct.datasets.nsd.caption_archive import archive_path, unpack_captions
from brainstruct.datasets.nsd.layout import COCO_SPLITS, Layout
from brainstruct.errors import InputError
from brainstruct.fetch import web
from brainstruct.fetch.transfer import fetch_file

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def serve():
    """Start a server with an entity tag that is compared as the standard says."""
    servers = []

    def start(etag, name="a server"):
        class Handler(BaseHTTPRequestHandler):
            def version_string(self):
                return name

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.send_header("ETag", etag)
                self.end_headers()

            def do_GET(self):
                wanted = self.headers.get("If-Match")
                if wanted and (wanted != etag or etag.startswith("W/")):
                    self.send_error(412)
                    return
                self.do_HEAD()
                self.wfile.write(CONTENT)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/file"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def nothing(n_bytes):
    """Take no note of bytes that have come."""


@pytest.mark.parametrize("etag", ['"5f0c-1a2b"', 'W/"5f0c-1a2b"', f'"{"0" * 32}"'])
def test_tags_of_any_kind(serve, tmp_path, monkeypatch, etag):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert not fetch_file(web.describe(serve(etag)), tmp_path / "f", nothing)
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_tags_of_s3_are_compared(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    address = serve(f'"{"0" * 32}"', "AmazonS3")
    with pytest.raises(InputError, match="another content"):
        fetch_file(web.describe(address), tmp_path / "f", nothing)


@pytest.fixture
def archived(tmp_path):
    """A data set whose captions are still in their archive."""
    layout = Layout(tmp_path)
    archive = archive_path(layout)
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for split in COCO_SPLITS:
            content.writestr(f"annotations/captions_{split}.json", str(list(range(5000))))
    return layout


@pytest.mark.parametrize("where", ["content", "flags"])
def test_a_damaged_archive_is_one_clear_error(archived, where):
    archive = archive_path(archived)
    stored = bytearray(archive.read_bytes())
    if where == "content":
        stored[100:140] = b"\xff" * 40
    else:
        stored[stored.rindex(b"PK\1\2") + 8] |= 1  # encrypted, it says
    archive.write_bytes(stored)
    with pytest.raises(InputError, match="is damaged"):
        unpack_captions(archived)
    assert not archive.exists()


def test_what_is_unpacked_needs_no_archive(archived):
    assert unpack_captions(archived) == [archived.captions_file(split) for split in COCO_SPLITS]
    assert sorted(path.name for path in archive_path(archived).parent.iterdir()) == sorted(
        f"captions_{split}.json" for split in COCO_SPLITS
    )


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), InputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["full", "interrupted"],
)
def test_an_archive_that_could_not_be_unpacked_stays(archived, monkeypatch, error, raised):
    def copy(stored, file, length):
        file.write(b"half")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(captions.shutil, "copyfileobj", copy)
        with pytest.raises(raised) as found:
            unpack_captions(archived)
    if raised is InputError:
        assert "cannot be unpacked: has no space left (No space left on device)" in str(found.value)
    assert list(archive_path(archived).parent.iterdir()) == [archive_path(archived)]
    assert len(unpack_captions(archived)) == len(COCO_SPLITS)
