"""How a job ends that meets what it cannot work with: in one line, and without a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from brainstruct.jobs.run import log, run_job
from fake_job import fake_job


def check_message(text: str, words: Sequence[str]) -> None:
    """One line, that says where, what, and how to mend it."""
    assert "Traceback" not in text, text
    last = text.strip().splitlines()[-1]
    assert " ERROR " in last, text
    for word in words:
        assert word in last, last
    assert last.count(". ") >= 1, f"no cure in: {last}"


def results_in(folder: Path) -> list[Path]:
    """Files that a job has left, but for its mark, which says how it ended."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if "ledger" not in path.relative_to(folder).parts]


def check_job(
    work: Callable[[Path], object], words: Sequence[str], folder: Path, **resources: int
) -> None:
    """Let a job do some work, which is given its output; check how it ends.

    `folder` is one that is not there yet.
    """
    output, file = folder / "results/made", folder / "job.log"
    parts = {"output": {"made": str(output)}, "resources": resources}
    try:
        with pytest.raises(SystemExit) as stop:
            run_job(lambda *, made: work(Path(made)), fake_job("rule", file, **parts))
    finally:
        log.handlers.clear()
    assert stop.value.code == 1
    check_message(file.read_text(encoding="utf-8"), words)
    assert results_in(output.parent) == []
