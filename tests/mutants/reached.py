"""Which lines of the library each test runs, how long it takes, and what it loads.

A plugin for pytest. What a fixture runs that is made once for several tests counts for each that
uses it. Lines that run in other processes are not seen.
"""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

Lines = set[tuple[str, int]]


class Recorder:
    """What the tests of one run of pytest have reached below a folder."""

    def __init__(self, below: Path) -> None:
        self._below = f"{below}/"
        self._all: Lines = set()
        self._fixtures: dict[int, Lines] = {}
        self._lines: dict[str, Lines] = {}
        self._seconds: dict[str, float] = defaultdict(float)
        self._sound: dict[str, bool] = {}
        sys.settrace(self._enter)
        threading.settrace(self._enter)

    def result(self) -> dict[str, dict[str, Any]]:
        """Test -> seconds, and file -> lines; those that failed or were skipped are left out."""
        found = {}
        for test in filter(self._sound.get, self._lines):
            lines = defaultdict(list)
            for path, line in sorted(self._lines[test]):
                lines[path.removeprefix(self._below)].append(line)
            found[test] = {"seconds": round(self._seconds[test], 3), "lines": dict(lines)}
        return found

    def _enter(self, frame: FrameType, event: str, argument: object) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(self._below):
            return None

        def line(frame: FrameType, event: str, argument: object) -> Any:
            self._all.add((path, frame.f_lineno))
            return line

        return line

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._all = set()
        outcome = yield
        made = item._fixtureinfo.name2fixturedefs.values()
        shared = [self._fixtures.get(id(one), set()) for several in made for one in several]
        self._lines[item.nodeid] = self._all.union(*shared)
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        before, self._all = self._all, set()
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self._fixtures.setdefault(id(fixturedef), set()).update(self._all)
            self._all |= before

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        self._sound[report.nodeid] = self._sound.get(report.nodeid, True) and report.passed


def loaded(outside: Path) -> list[str]:
    """Names of modules that are loaded, in that order, but for those that lie in a folder."""

    def lies(module: ModuleType) -> bool:
        file = getattr(module, "__file__", None)
        return file is not None and not Path(file).is_relative_to(outside)

    return [name for name, module in sys.modules.items() if lies(module)]
