"""Which tests belong to a mutant: those that run its line, the quickest files first."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from mutant import Mutant

SLOW = 20.0
"""Seconds: tests that take longer are not asked, unless there is no other."""
ENOUGH = 60.0
"""Seconds of tests after which no slower one is asked."""


class Choice:
    """What `reached` measured of all tests, asked for single mutants."""

    def __init__(
        self, root: Path, tests: dict[str, dict[str, Any]], enough: float = ENOUGH
    ) -> None:
        self._root, self.tests, self._enough = root, tests, enough
        self._texts: dict[str, str] = {}

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return tests in the order to run them.

        A line that no test runs in its own process (a job's, or of a module that is only imported)
        has the tests of whatever imports the module, in tests and in the library.
        """
        found: set[str] = set()
        if mutant.scope.endswith("()"):
            lines = set(range(mutant.first, mutant.last + 1))
            found = {
                test
                for test, reached in self.tests.items()
                if not lines.isdisjoint(reached["lines"].get(mutant.file, ()))
            }
        found = found or self._around(mutant.file)
        quick = {test for test in found if self.tests[test]["seconds"] <= SLOW}
        return self._ordered(quick or found)

    def seconds(self, tests: list[str]) -> float:
        return sum(self.tests[test]["seconds"] for test in tests)

    def _around(self, file: str) -> set[str]:
        """Tests that run any line of a module, or of one that imports it, or import it."""
        dotted = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        package, _, name = dotted.rpartition(".")
        by_name = rf"from {re.escape(package)} import .*\b{name}\b"
        imports = re.compile(rf"{re.escape(dotted)}\b|{by_name}")
        paths = self._root.glob("workflow_scripts/brainstruct/**/*.py")
        near = {file} | {
            path.relative_to(self._root / "workflow_scripts").as_posix()
            for path in paths
            if imports.search(self._text(path.relative_to(self._root).as_posix()))
        }
        return {
            test
            for test, reached in self.tests.items()
            if not near.isdisjoint(reached["lines"])
            or imports.search(self._text(test.partition("::")[0]))
        }

    def _ordered(self, tests: set[str]) -> list[str]:
        """Take the quickest; then files by their time, and in a file the order they stand in."""
        chosen, spent = set(), 0.0
        for test in sorted(tests, key=lambda one: self.tests[one]["seconds"]):
            if spent > self._enough:
                break
            chosen.add(test)
            spent += self.tests[test]["seconds"]
        files: dict[str, list[str]] = defaultdict(list)
        for test in self.tests:  # as they were run
            if test in chosen:
                files[test.partition("::")[0]].append(test)
        return [
            test
            for file in sorted(files, key=lambda one: self.seconds(files[one]))
            for test in files[file]
        ]

    def _text(self, file: str) -> str:
        if file not in self._texts:
            self._texts[file] = (self._root / file).read_text("utf-8")
        return self._texts[file]
