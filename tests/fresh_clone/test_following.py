"""What follows the documents must not pass by accident."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import run
from documents import Block, Rules

NOTHING = Rules(skip={}, slow={}, serve={}, shown={}, substitute={})


@pytest.fixture
def clone(tmp_path):
    for name in ("clone", "home", "logs"):
        (tmp_path / name).mkdir()
    return run.Clone(tmp_path)


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize(
    ("text", "well"),
    [
        ("true\n", True),
        ("false\ntrue\n", False),
        ("false | true\n", False),
        ("cat > /dev/null\nfalse\n", False),  # a command that reads does not swallow the rest
        ("test -d ../logs\n", True),
    ],
)
def test_a_block_passes_if_all_its_commands_do(clone, text, well):
    block = Block("README.md", 1, "sh", text)
    assert run.follow(clone, block, NOTHING, quick=False)[0] is well


def test_a_block_that_does_not_end_fails(clone, monkeypatch):
    monkeypatch.setattr(run, "LONGEST", 0.5)
    assert not clone.run("README.md:1", "bash", "-c", "sleep 60 & wait")
    assert "not done after" in clone.log("README.md:1").read_text()


def test_a_server_must_be_the_one_that_was_started(clone, port):
    url = f"http://127.0.0.1:{port}/"
    line = f"{sys.executable} -m http.server --bind 127.0.0.1 {port}"
    assert clone.serves("README.md:1", line, url)
    assert not clone.serves("README.md:2", "true", url)
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", port), http.server.SimpleHTTPRequestHandler
    ) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        assert not clone.serves("README.md:3", line, url)
        other.shutdown()
    assert "something else answers" in clone.log("README.md:3").read_text()
