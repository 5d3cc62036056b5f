"""Damage that files suffer, drawn at random: for property-based tests of readers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from brainstruct.errors import InputError

FULL = os.environ.get("BRAINSTRUCT_FAULTS_FULL") == "1"


def examples(usual: int) -> settings:
    """So many examples, the same in every run; ten times as many by ``make faults``."""
    return settings(
        max_examples=10 * usual if FULL else usual,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """A file that was cut, overwritten in places, grew, or is another one."""
    kind = draw(st.sampled_from(["cut", "overwritten", "grown", "shifted", "foreign"]))
    place = draw(st.integers(0, max(len(content) - 1, 0)))
    if kind == "cut":
        return content[:place]
    other = draw(st.binary(min_size=1, max_size=64))
    if kind == "overwritten":
        return content[:place] + other + content[place + len(other) :]
    if kind == "grown":
        return content + other
    if kind == "shifted":
        return content[:place] + other + content[place:]
    return other


def change_text(path: Path, old: str, new: str) -> None:
    """Change one of the texts in a file, the last, and nothing else."""
    content, text = path.read_bytes(), old.encode()
    assert len(text) == len(new.encode())
    place = content.rindex(text)
    path.write_bytes(content[:place] + new.encode() + content[place + len(text) :])


def reads_or_names(read: Callable[[Path], object], path: Path, name: str | None = None) -> None:
    """A reader gives something, or says in an `InputError` that it is this file, and the cure."""
    try:
        read(path)
    except InputError as error:
        assert (name or path.name) in error.where
        assert error.fault
        assert error.cure
