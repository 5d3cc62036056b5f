"""What a check found, and all of it as a table for people and as JSON for scripts."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from brainstruct.errors import LEVELS, Level, Outcome


def is_sound(outcomes: Sequence[Outcome]) -> bool:
    """Return whether nothing stands in the study's way."""
    return not _counts(outcomes)["error"]


def as_json(study: str, outcomes: Sequence[Outcome]) -> str:
    """Write everything as one JSON object."""
    content = {
        "study": study,
        "sound": is_sound(outcomes),
        "counts": _counts(outcomes),
        "checks": [asdict(outcome) for outcome in outcomes],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def as_table(
    study: str, outcomes: Sequence[Outcome], seconds: float, width: int | None = None
) -> str:
    """Write one line per check and one per finding, and a sentence at the end.

    Without a `width`, a finding is one line, however long, so that it can be searched for.
    """
    area = max(len(outcome.area) for outcome in outcomes)
    rows = [f"The study '{study}', looked at in {seconds:.1f} s", ""]
    for outcome in outcomes:
        counts = _counts([outcome])
        state = next((level for level in LEVELS if counts[level]), "ok")
        rows.append(f"{outcome.area:<{area}}  {state:<7}  {outcome.checked}".rstrip())
        for finding in outcome.findings:
            rows += _wrapped(f"{'':<{area}}  {finding.level:<7}    ", finding.line, width)
    summary = ", ".join(
        f"{number} {level}{'' if number == 1 else 's'}"
        for level, number in _counts(outcomes).items()
        if number
    )
    verdict = "The study can run." if is_sound(outcomes) else "The study cannot run as it is."
    return "\n".join([*rows, "", f"{verdict} {summary or 'Nothing to mend'}."])


def _wrapped(start: str, line: str, width: int | None) -> list[str]:
    if width is None:
        return [start + line]
    return textwrap.wrap(
        line,
        max(width, len(start) + 40),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _counts(outcomes: Sequence[Outcome]) -> dict[Level, int]:
    """Return level -> number of findings."""
    levels = [finding.level for outcome in outcomes for finding in outcome.findings]
    return {level: levels.count(level) for level in LEVELS}
