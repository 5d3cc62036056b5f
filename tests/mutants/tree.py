"""A copy of the repository in which mutants are put, and the runs of tests in it."""

from __future__ import annotations

import compileall
import hashlib
import json
import os
import py_compile
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from forked import LATE, forked
from reached import Recorder, loaded

ROOT = Path(__file__).parents[2]
LEFT = shutil.ignore_patterns(".git", ".*_cache", ".snakemake", ".hypothesis", "__pycache__")
OUTPUTS = {".venv", "results", "resources"}
"""Left out at the root only: packages have these names, too."""
OPTIONS = ["-q", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=1"]
NOTHING_RAN = 5


class Tree:
    """A copy of the repository; `folder` also holds what its tests write."""

    def __init__(self, folder: Path, root: Path = ROOT) -> None:
        self.root, self.output = folder / "copy", folder / "output.txt"
        self._temporary, self._answer = folder / "temporary", folder / "answer.json"

        def left(folder: str, names: list[str]) -> set[str]:
            return LEFT(folder, names) | (OUTPUTS if Path(folder) == root else set())

        shutil.copytree(root, self.root, ignore=left, symlinks=True)
        self.scripts = self.root / "workflow_scripts"
        # Compiled files are known by their sources' content: times are too coarse for mutants.
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self.scripts, quiet=2, invalidation_mode=mode)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    def measure(self, file: str, seconds: float) -> dict[str, Any]:
        """Return what the tests of a file reach (`reached`), and the modules that they load."""

        def work() -> dict[str, Any]:
            recorder = Recorder(self.scripts)
            self._pytest([file, "-m", "not study"], [recorder])
            return {"tests": recorder.result(), "loaded": loaded(self.root)}

        return self._ask(work, seconds) or {"tests": {}, "loaded": []}

    def first_failure(self, tests: Mapping[str, float]) -> tuple[int, str | None]:
        """Run tests until one fails; return the exit status of pytest, and which one did.

        `tests` have the seconds that they take, in order. One that takes much longer ends all.
        """

        def work() -> dict[str, Any]:
            chosen = _Chosen(tests)
            files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
            status = self._pytest(["-x", *files], [chosen])
            return {"status": int(status), "failed": chosen.failed}

        answer = self._ask(work, sum(map(_limit, tests.values())))
        if answer:
            return answer["status"], answer["failed"]
        return LATE if self._status == -signal.SIGALRM else self._status, None

    def _pytest(self, arguments: list[str], plugins: list[object]) -> int:
        os.chdir(self.root)
        sys.path[:] = [path for path in sys.path if path != str(Path(__file__).parent)]
        own = ["--rootdir", str(self.root), "--basetemp", str(self._temporary)]
        return pytest.main([*OPTIONS, *own, *arguments], plugins)

    def _ask(self, work: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any] | None:
        """Return what work in a forked process returns, or nothing if it did not come so far."""
        self._answer.unlink(missing_ok=True)

        def answer() -> int:
            found = work()
            self._answer.write_text(json.dumps(found), encoding="utf-8")
            return 0

        self._status = forked(answer, seconds, self.output)
        return json.loads(self._answer.read_text("utf-8")) if self._status == 0 else None


def _limit(seconds: float) -> int:
    """Seconds that a test may take with a mutant: with 40 for what several tests share."""
    return int(3 * seconds) + 40


class _Chosen:
    """Some of the tests, in the order in which they are named."""

    def __init__(self, tests: Mapping[str, float]) -> None:
        self._seconds = tests
        self._place = {test: number for number, test in enumerate(tests)}
        self.failed: str | None = None

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        signal.alarm(_limit(self._seconds[nodeid]))  # which ends the process, whatever it does

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self._place]
        items[:] = sorted(kept, key=lambda item: self._place[item.nodeid])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or f"{report.nodeid} (cannot be imported)"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def digest(root: Path, paths: Sequence[Path]) -> str:
    """Return a digest of files' names and contents."""
    found = hashlib.blake2b(digest_size=8)
    for path in sorted(paths):
        found.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()
