"""What was found, as a table for people and as JSON for scripts."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import get_args

from brainstruct.doctor.finding import Level, Outcome

LEVELS: tuple[Level, ...] = get_args(Level)


def is_sound(outcomes: Sequence[Outcome]) -> bool:
    """Return whether nothing stands in the study's way."""
    return not any(outcome.count("error") for outcome in outcomes)


def as_json(study: str, outcomes: Sequence[Outcome]) -> str:
    """Write everything as one JSON object."""
    return json.dumps(
        {
            "study": study,
            "sound": is_sound(outcomes),
            "counts": {level: _total(outcomes, level) for level in LEVELS},
            "checks": [asdict(outcome) for outcome in outcomes],
        },
        indent=2,
        ensure_ascii=False,
    )


def as_table(
    study: str, outcomes: Sequence[Outcome], seconds: float, width: int | None = None
) -> str:
    """Write one line per check and one per finding, and a sentence at the end.

    Parameters
    ----------
    study : str
        Its name.
    outcomes : sequence of Outcome
        All checks.
    seconds : float
        How long they took.
    width : int, optional
        Wrap lines to so many columns; by default a finding is one line,
        however long, so that it can be searched for.
    """
    area = max(len(outcome.area) for outcome in outcomes)
    rows = [f"The study '{study}', looked at in {seconds:.1f} s", ""]
    indent = area + len("  warning  ") + 2
    for outcome in outcomes:
        state = next((level for level in LEVELS if outcome.count(level)), "ok")
        rows.append(f"{outcome.area:<{area}}  {state:<7}  {outcome.checked}".rstrip())
        for finding in outcome.findings:
            rows += _wrapped(finding.level, finding.line, indent, area, width)
    counts = ", ".join(
        f"{number} {level}{'' if number == 1 else 's'}"
        for level in LEVELS
        if (number := _total(outcomes, level))
    )
    verdict = "The study can run." if is_sound(outcomes) else "The study cannot run as it is."
    return "\n".join([*rows, "", f"{verdict} {counts or 'Nothing to mend'}."])


def _wrapped(level: Level, line: str, indent: int, area: int, width: int | None) -> list[str]:
    start = f"{'':<{area}}  {level:<7}    "
    if width is None:
        return [start + line]
    return textwrap.wrap(
        line,
        max(width, indent + 40),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _total(outcomes: Sequence[Outcome], level: Level) -> int:
    return sum(outcome.count(level) for outcome in outcomes)
