"""What a run that has failed says at its end: what failed and why, what is done, how to go on."""

import re
import sys
from pathlib import Path
from typing import Any

from brainstruct.workflow.closing import counted, jobs_of, made_in
from brainstruct.workflow.command import Command
from brainstruct.workflow.requests import members_of

MOST = 10  # causes that are shown
_TAIL = 1 << 16  # bytes of a log: an attempt, with a traceback
_BEGIN = re.compile(r"^\S+ \S+ INFO .* thread\(s\), job ")
_ERROR = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ERROR (.*)")


def said_of(workflow: Any, root: str) -> list[str]:
    """Say what failed, what was done all the same, and the command that does the rest.

    `root` is the folder of the results. Nothing is said if no job failed.
    """
    lines = failures(workflow)
    if not lines:
        return []
    finished = jobs_of(workflow, finished=True)
    lines.append(f"Done: {len(finished)} of {counted(len(jobs_of(workflow)), 'job')}.")
    return [*lines, *made_in(finished, root), f"To go on:  {Command.read(sys.argv[1:]).again()}"]


def failures(workflow: Any) -> list[str]:
    """Say why jobs failed; those that failed for one cause are one line."""
    failed = getattr(workflow.scheduler, "failed", ())
    jobs = {
        " ".join([one.rule.name, *one.wildcards]): next(map(str, one.log), "")
        for job in failed
        for one in members_of(job)
    }
    causes: dict[str, list[str]] = {}
    for who in sorted(jobs):
        causes.setdefault(cause_in(jobs[who]), []).append(who)
    lines = [f"{len(jobs)} job{'s' if len(jobs) > 1 else ''} failed:"] if jobs else []
    for cause, several in list(causes.items())[:MOST]:
        more = f" and {len(several) - 1} more" if len(several) > 1 else ""
        log = jobs[several[0]]
        lines.append(f"  {several[0]}{more}: {cause}{f' ({log})' if log else ''}")
    if len(causes) > MOST:
        lines.append(f"  and {len(causes) - MOST} other causes, which the logs name")
    return lines


def cause_in(log: str) -> str:
    """Return what the last attempt of a job wrote of its end, by its log (may be empty)."""
    if not log or not Path(log).is_file():
        return "it left no log; what Snakemake or the cluster says of it stands above"
    with Path(log).open("rb") as file:
        file.seek(max(Path(log).stat().st_size - _TAIL, 0))
        lines = file.read().decode("utf-8", "replace").splitlines()
    begins = [place for place, line in enumerate(lines) if _BEGIN.match(line)]
    lines = [line for line in lines[begins[-1] if begins else 0 :] if line.strip()]
    errors = [found[1] for line in lines if (found := _ERROR.match(line))]
    if not errors:
        return "its log ends without a word: it was killed, as for lack of memory or time"
    defect = errors[-1].endswith(" failed") and not _ERROR.match(lines[-1])
    return f"{lines[-1]} (a defect, with its traceback in the log)" if defect else errors[-1]
