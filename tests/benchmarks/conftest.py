"""Goals of the benchmarks: a table at the end says which were met.

A missed goal fails no test: speed depends on the machine and on who else uses it.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest


class Goal(NamedTuple):
    what: str
    reached: float
    wanted: float
    remark: str = ""
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.reached <= self.wanted if self.at_most else self.reached >= self.wanted


REACHED = pytest.StashKey[list[Goal]]()


@pytest.fixture(scope="session")
def goals(pytestconfig) -> list[Goal]:
    """Where a benchmark leaves what it reached."""
    return pytestconfig.stash.setdefault(REACHED, [])


@pytest.fixture
def goal():
    return Goal


def pytest_terminal_summary(terminalreporter, config):
    reached = config.stash.get(REACHED, [])
    if not reached:
        return
    missed = sum(not one.met for one in reached)
    terminalreporter.section(f"goals: {len(reached) - missed} met, {missed} missed")
    width = max(len(one.what) for one in reached)
    for one in reached:
        terminalreporter.write_line(
            f"{'met   ' if one.met else 'MISSED'}  {one.what:{width}}  {one.reached:8.1f}"
            f"  ({'at most' if one.at_most else 'at least'} {one.wanted:g})  {one.remark}".rstrip(),
            green=one.met,
            red=not one.met,
        )
