"""What a run says at its end: what was made, where, in what time, what to know of it, what next.

Loaded when a run has ended well, and only then. It reads what the run has left
(logs, a table, the list of flatmaps) and computes nothing.
"""

import csv
import json
import re
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from brainstruct.config.study import Study
from brainstruct.workflow.command import Command
from brainstruct.workflow.rooms import Rooms

OTHERS = "data set and checkpoints"  # where files go that are not among the results
MOST_WARNINGS = 5
_WIDTH = 100
_CLOCKS_DIFFER = timedelta(seconds=60)  # those of a cluster's nodes
_WARNING = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) WARNING (.*)", re.M)
_WHOLE = "all"  # label of a region that is all of its family, in tables


@dataclass(frozen=True)
class Made:
    """A job that ran."""

    rule: str
    outputs: tuple[str, ...]
    logs: tuple[str, ...] = ()
    attempts: int = 1


@dataclass(frozen=True)
class Run:
    """A run that ended well."""

    jobs: list[Made]
    started: datetime  # by this machine's clock
    ended: datetime
    whole: bool  # whether the whole study was asked for
    command: Command = field(default_factory=Command)
    rules: set[str] = field(default_factory=set)  # all there are


def close(workflow: Any, rooms: Rooms) -> None:
    """Print the summary of a run, to standard error, as Snakemake does.

    Silent where only a question was asked (no job wrote a file), after
    ``--touch``, and with ``--quiet all``. The study is done and sound whatever
    happens here, so a defect is printed and does not change the run's status.
    """
    try:
        if workflow.touch or "ALL" in {mode.name for mode in workflow.output_settings.quiet or ()}:
            return
        run = run_of(workflow)
        if run.jobs:
            print(f"\n{summary(run, rooms)}\n", file=sys.stderr, flush=True)
    except Exception:
        print("The study is done; its summary could not be written:", file=sys.stderr)
        traceback.print_exc()


def run_of(workflow: Any) -> Run:
    """Look up what a run of Snakemake did, after its last job."""
    return Run(
        jobs=jobs_of(workflow),
        started=workflow.start_time,
        ended=datetime.now(),
        whole=any(job.rule.name == "all" for job in workflow.dag.jobs),
        command=Command.read(sys.argv[1:]),
        rules={rule.name for rule in workflow.rules},
    )


def jobs_of(workflow: Any, *, finished: bool = False) -> list[Made]:
    """Return the jobs of a run that write files; of these those alone that are `finished`."""
    return [
        Made(job.rule.name, tuple(map(str, job.output)), tuple(map(str, job.log)), job.attempt)
        for job in workflow.dag.needrun_jobs(exclude_finished=False)
        if job.output and (not finished or workflow.dag.finished(job))
    ]


def made_in(jobs: Iterable[Made], root: str) -> list[str]:
    """Return a line for each folder of the results with the number of files that were made."""
    made = Counter(_stage(path, root) for job in jobs for path in dict.fromkeys(job.outputs))
    width = max(map(len, made), default=0)
    return [f"  {stage.ljust(width)}  {count:,}" for stage, count in sorted(made.items())]


def summary(run: Run, rooms: Rooms) -> str:
    """Return the summary as text."""
    made = sum(len(set(job.outputs)) for job in run.jobs)
    took = timedelta(seconds=round((run.ended - run.started).total_seconds()))
    lines = [
        f"Study {rooms.data.study.study}: {counted(made, 'file')} made by "
        f"{counted(len(run.jobs), 'job')} in {took}.",
        "",
        *made_in(run.jobs, rooms.data.root),
    ]
    for title, entries in (
        ("Good to know", list(_remarks(run, rooms))),
        ("Next", list(_next(run, rooms))),
    ):
        lines += ["", title, *(f"  {entry}" for entry in entries)] if entries else []
    return "\n".join(lines)


def warnings_in(path: str, since: datetime) -> list[str]:
    """Return the first lines of the warnings that a job logged since this run started.

    The log of `brainstruct.jobs` holds earlier runs too.
    """
    if not Path(path).is_file():
        return []
    found = _WARNING.finditer(Path(path).read_text(encoding="utf-8", errors="replace"))
    return [
        match[2] for match in found if datetime.fromisoformat(match[1]) >= since - _CLOCKS_DIFFER
    ]


def _remarks(run: Run, rooms: Rooms) -> Iterator[str]:
    again = Counter(job.rule for job in run.jobs if job.attempts > 1)
    if again:
        which = ", ".join(f"{count} of {rule}" for rule, count in again.items())
        yield f"{counted(again.total(), 'job')} failed at first and ran again: {which}."
    yield from _warnings(run)
    written = {path for job in run.jobs for path in job.outputs}
    table, store = rooms.data.table("alignment"), rooms.figures.pycortex_store()
    if table in written:
        yield from _regions(Path(table), rooms.data.study)
    if store in written:
        ready = json.loads(Path(store).read_text(encoding="utf-8"))
        average = [subject for subject, drawn in ready.items() if drawn["source"] == "fsaverage"]
        if average and rooms.data.study.flatmaps.source == "auto":
            yield f"No flat surfaces of {', '.join(average)}: drawn on fsaverage."


def _warnings(run: Run) -> Iterator[str]:
    """Tell each kind of warning once: its numbers and files may differ."""
    times: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for job in run.jobs:
        for log in job.logs:
            for message in warnings_in(log, run.started):
                kind = job.rule, re.sub(r"\d+", "#", message)
                times[kind] += 1
                first.setdefault(kind, (message, log))
    for kind, count in times.most_common(MOST_WARNINGS):
        message, log = first[kind]
        shown = message if len(message) <= _WIDTH else f"{message[:_WIDTH]}..."
        often = "once" if count == 1 else f"{count:,} times"
        yield f"{kind[0]} warned {often}: {shown} ({log})"
    if len(times) > MOST_WARNINGS:
        yield f"and {counted(len(times) - MOST_WARNINGS, 'other kind')} of warnings in {_logs(run)}"


def _logs(run: Run) -> str:
    log = next(log for job in run.jobs for log in job.logs)
    return next(str(folder) for folder in Path(log).parents if folder.name == "logs")


def _regions(table: Path, study: Study) -> Iterator[str]:
    """Tell which voxels and regions do not count, from the table of alignments."""
    excluded: dict[str, str] = {}
    absent: dict[str, list[str]] = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            subject, family = row["subject"], row["family"]
            if row["label"] != _WHOLE:
                continue
            if family == study.data.mask:
                excluded.setdefault(subject, f"{row['n_excluded']} of {row['n_voxels']}")
            elif row["n_voxels"] == "0" and family not in absent.setdefault(subject, []):
                absent[subject].append(family)
    least = study.alignment.ceiling_threshold
    if excluded:
        counts = ", ".join(f"{subject} {count}" for subject, count in excluded.items())
        yield (
            f"Voxels without a score, their noise ceiling being under "
            f"{'that of silent ones' if least == 'auto' else f'{least:g}'}: {counts}."
        )
    for subject, families in absent.items():
        if families:
            yield f"{subject} has no voxels in {', '.join(families)}: n/a in tables."


def _next(run: Run, rooms: Rooms) -> Iterator[str]:
    command, report = run.command, f"{rooms.data.root}/report.html"
    if not run.whole:
        yield f"the rest of the study:  {command.running()}"
        yield f"a report of this part:  {command.reporting(report)}"
        return
    yield f"the report:             {command.reporting(report)}"
    if Path(rooms.viewer.index()).is_file():
        yield f"interactive maps:       make view VIEWER={Path(rooms.viewer.index()).parent}"
    if "exports" in run.rules:
        yield f"files for other tools:  {command.running('exports', cores='1')}"


def _stage(path: str, root: str) -> str:
    """Return the folder of results that a file belongs to."""
    if not path.startswith(f"{root}/"):
        return OTHERS
    return f"{root}/{path.removeprefix(f'{root}/').split('/')[0]}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
