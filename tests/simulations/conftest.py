"""Simulations with known truth: small ones in every run of the tests, large ones by a command.

``make simulations`` runs all of them at full size, and prints what came out as a table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

FULL = "BRAINSTRUCT_SIMULATIONS" in os.environ

_ROWS: list[tuple[str, ...]] = []


@pytest.fixture
def full() -> bool:
    """Whether it is run at full size."""
    return FULL


@pytest.fixture
def tell() -> Callable[..., None]:
    """Put a row into the table: what was simulated, the truth, what came out."""

    def row(what: str, truth: object, found: object) -> None:
        _ROWS.append((what, str(truth), str(found)))

    return row


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what takes minutes, but at full size."""
    for item in items:
        if not FULL and item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip(reason="long: make simulations"))


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    if FULL and _ROWS:
        terminalreporter.write_sep("=", "for docs/statistics.md")
        for row in (("simulated", "truth", "found"), ("---",) * 3, *_ROWS):
            terminalreporter.write_line(f"| {' | '.join(row)} |")
