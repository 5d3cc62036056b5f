"""A headless browser that remembers what went wrong in its pages."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from debian_packages import install_missing

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

ARGUMENTS = [
    "--no-sandbox",  # tests run as root in containers
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
"""WebGL in software: no GPU and no screen are needed."""


def find_chromium() -> str:
    """Return the path of Chromium; install it where that is possible, else skip the test."""
    found = [path for path in map(shutil.which, NAMES) if path]
    if found:
        return found[0]
    if reason := install_missing("chromium"):
        pytest.skip(f"BROWSER NOT TESTED: there is no Chromium ({reason})")
    return str(shutil.which(NAMES[0]))


@contextmanager
def launch() -> Iterator[Browser]:
    """Start the browser, and stop it."""
    executable = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine; give its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Watched:
    """A page, and what happened in it.

    Attributes
    ----------
    page : playwright.sync_api.Page
        The page.
    errors : list of str
        Errors on the console, exceptions, requests that failed.
    requests : list of str
        Everything it asked for over a network.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, browser: Browser) -> Watched:
        """Open an empty page."""
        watched = cls(browser.new_page(viewport={"width": 1280, "height": 800}))
        page = watched.page
        page.on("console", watched._console)
        page.on("pageerror", lambda error: watched.errors.append(f"exception: {error}"))
        page.on("requestfailed", watched._failed)
        page.on("request", lambda request: watched._asked(request.url))
        page.on("websocket", lambda socket: watched._asked(socket.url))
        return watched

    def show_maps(self, address: str) -> None:
        """Open interactive maps, and wait until they are there."""
        self.page.goto(address)
        self.page.wait_for_function(
            "window.viewer && viewer.loaded && viewer.loaded.state() == 'resolved'", timeout=180_000
        )

    def _failed(self, request: Request) -> None:
        # Chromium calls those for headers alone failed, too, when they were answered.
        if request.method != "HEAD":
            self.errors.append(f"failed: {request.url}")

    def _console(self, message: object) -> None:
        if message.type == "error":  # type: ignore[attr-defined]
            self.errors.append(f"console: {message.text}")  # type: ignore[attr-defined]

    def _asked(self, address: str) -> None:
        if not address.startswith(("data:", "blob:", "file:", "about:")):
            self.requests.append(address)
