"""What several rooms' tests need."""

from __future__ import annotations

import fcntl
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent / "workflow"))

from browser import Watched, launch
from checkout import SMALL, SUPPLIES, Checkout

# What tests start heeds signals, whoever has started the tests (nohup, a shell's background).
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

REPOSITORY = Path(__file__).parent.parent

LONGEST = (
    *("test_recovery", "test_kills", "test_slurm", "test_browser", "test_reruns"),
    *("test_signals", "test_moved_results"),
)
"""Files whose tests run longest, begun first: no process is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, see `LONGEST`; order within a file stays."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; tests that need it are skipped, loudly, where there is none."""
    with launch() as found:
        yield found


@pytest.fixture
def watched(browser):
    """A page, and what happens in it."""
    opened = Watched.opened(browser)
    yield opened
    opened.page.close()


def read_config(*names: str) -> dict[str, Any]:
    """Merge configuration files as Snakemake does: mappings are merged, the rest replaced."""
    merged: dict[str, Any] = {}
    for name in ("instructions", "checkpoints", "config", *names):
        _merge(merged, yaml.safe_load((REPOSITORY / "config" / f"{name}.yaml").read_text()))
    return merged


def _merge(into: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


@pytest.fixture
def paper_config() -> dict[str, Any]:
    return read_config()


@pytest.fixture
def demo_config() -> dict[str, Any]:
    return read_config("demo")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Checkout:
    """A checkout in which nothing has been run."""
    return Checkout.fresh(tmp_path_factory.mktemp("fresh") / "checkout")


@pytest.fixture(scope="session")
def shared(tmp_path_factory, request) -> Callable[[str, Callable[[Path], None]], Checkout]:
    """Make a checkout that test processes share: one makes it, others wait for it."""
    folder = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # a process of pytest-xdist
        folder = folder.parent

    def share(name: str, make: Callable[[Path], None]) -> Checkout:
        checkout = Checkout(folder / name / "checkout")
        mark = folder / name / "done"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not mark.exists():
                make(checkout.root)
                mark.touch()
        return checkout

    return share


@pytest.fixture(scope="session")
def supplied(shared) -> Checkout:
    """A checkout with the data, checkpoints and surfaces of the small study; to be copied."""

    def make(root: Path) -> None:
        Checkout.fresh(root).run(*SUPPLIES, *SMALL)

    return shared("supplied", make)


@pytest.fixture(scope="session")
def finished(shared, supplied) -> Checkout:
    """A checkout with the small study done; tests must copy it before they change it."""

    def make(root: Path) -> None:
        supplied.copy(root).run(*SMALL, timeout=3600)

    return shared("finished", make)


@pytest.fixture
def edited(finished, tmp_path) -> Checkout:
    """A copy of the finished study, to be changed."""
    return finished.copy(tmp_path / "checkout")
