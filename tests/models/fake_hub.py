"""A hub with one repository, as far as its client asks: revision, tree, files with ranges."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

LARGE = (".safetensors", ".bin", ".h5", ".msgpack")


class Hub:
    """The repository, what was asked of it, and how it fails.

    Attributes
    ----------
    revisions : dict
        Branch or commit -> commit.
    files : dict
        Commit -> path -> content.
    sent : list of tuple
        (path, first byte) of every file that was sent.
    breaks : dict
        Path -> byte after which the connection breaks, once.
    corrupt : set
        Paths that are sent with a flipped bit.
    """

    def __init__(self, repository: str) -> None:
        self.repository = repository
        self.revisions: dict[str, str] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.sent: list[tuple[str, int]] = []
        self.breaks: dict[str, int] = {}
        self.corrupt: set[str] = set()
        self.address = ""

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        """Make a branch point to new content."""
        commit = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.revisions |= {branch: commit, commit: commit}
        self.files[commit] = files
        return commit

    def entry(self, path: str, content: bytes) -> dict[str, object]:
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry: dict[str, object] = {
            "type": "file",
            "path": path,
            "size": len(content),
            "oid": blob,
        }
        if path.endswith(LARGE):
            sha256 = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 130}
        return entry


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serve a hub on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            repository = re.escape(hub.repository)
            if match := re.fullmatch(rf"/api/models/{repository}/(revision|tree)/([^/]+)", path):
                kind, revision = match.groups()
                commit = hub.revisions.get(revision)
                if commit is None:
                    self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
                elif kind == "revision":
                    self.json({"id": hub.repository, "sha": commit, "siblings": []})
                else:
                    files = hub.files[commit].items()
                    self.json([hub.entry(path, content) for path, content in files])
            elif match := re.fullmatch(rf"/{repository}/resolve/([^/]+)/(.+)", path):
                self.file(*match.groups(), with_body=with_body)
            else:
                self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})

        def file(self, revision: str, path: str, *, with_body: bool) -> None:
            commit = hub.revisions[revision]
            content = hub.files[commit][path]
            entry = hub.entry(path, content)
            etag = entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]
            headers = {
                "X-Repo-Commit": commit,
                "ETag": f'"{etag}"',
                "X-Linked-Size": str(len(content)),
                "X-Linked-ETag": f'"{etag}"',
                "Accept-Ranges": "bytes",
            }
            if not with_body:
                self.reply(200, b"", headers, length=len(content))
                return
            if path in hub.corrupt:
                content = bytes([content[0] ^ 1]) + content[1:]
            start = 0
            if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
                start = int(match.group(1))
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            hub.sent.append((path, start))
            stop = hub.breaks.pop(path, None)
            self.reply(206 if start else 200, content[start:stop], headers, len(content) - start)
            if stop is not None:
                self.close_connection = True

        def json(self, content: object) -> None:
            self.reply(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

        def reply(
            self, status: int, body: bytes, headers: dict[str, str], length: int | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
