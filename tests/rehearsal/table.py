"""What stages took beside what their rules ask for and what the plan said."""

import datetime
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path

from size import Size

from brainstruct.planning.disk import on_disk
from brainstruct.planning.jobs import Job
from brainstruct.planning.report import Plan, Stage
from brainstruct.store.files import write_text
from brainstruct.store.ledger import Ledger
from brainstruct.workflow.requests import machine_mb

LONG = 10.0
"""Seconds from which a stage is compared with what was planned."""
MEBI = 1.048576
"""The ledger counts 2^20 bytes, rules ask for millions of them."""
FOUND = {"embed"}
"""Kinds of jobs whose work was done before: their blocks are in the store."""


@dataclass(frozen=True)
class Took:
    """CPU and wall time in seconds, and the most memory of a process in MB."""

    cpu: float
    wall: float
    peak_mb: float


@dataclass(frozen=True)
class Row:
    """Jobs of a rule: times of all together, the longest, the most memory of any."""

    rule: str
    kind: str
    jobs: int
    took: Took
    longest: float  # seconds, on the wall
    written: float  # bytes
    asked_mb: float
    asked_minutes: float
    planned_seconds: float  # of all jobs, times their threads; NaN: the plan has no such stage
    planned_mb: float

    @property
    def ratio(self) -> float | None:
        """Planned over measured time, of stages that take long and were done here."""
        if self.took.cpu < LONG or self.kind in FOUND or isnan(self.planned_seconds):
            return None
        return self.planned_seconds / self.took.cpu


def compare(
    jobs: Iterable[Job], ledger: Ledger, plan: Plan, root: str
) -> tuple[list[Row], list[str]]:
    """Sum up rule by rule, and say which jobs held or took more than they asked for."""
    for _, entry in ledger.new():
        ledger.add(entry)
    planned = {stage.rule: stage for stage in plan.stages}
    by_rule: dict[str, list[tuple[Job, Took]]] = {}
    exceeded = []
    for job in jobs:
        entry = ledger.entries.get(job.outputs[0].removeprefix(f"{root}/"))
        if entry is None or not entry.peak_mb:
            continue
        took = Took(entry.cpu, entry.seconds, entry.peak_mb * MEBI)
        by_rule.setdefault(job.rule, []).append((job, took))
        who = " ".join([job.rule, *job.wildcards.values()])
        if 0 < job.memory_mb < took.peak_mb:
            exceeded.append(f"{who} held {took.peak_mb:,.0f} MB, asked for {job.memory_mb:,.0f}")
        if 0 < job.minutes * 60 < took.wall:
            exceeded.append(f"{who} took {took.wall / 60:.1f} min, asked for {job.minutes:.0f}")
    rows = [_row(rule, own, planned.get(rule)) for rule, own in by_rule.items()]
    return rows, exceeded


def _row(rule: str, own: Sequence[tuple[Job, Took]], stage: Stage | None) -> Row:
    jobs, took = zip(*own, strict=True)
    return Row(
        rule=rule,
        kind=jobs[0].kind,
        jobs=len(own),
        took=Took(
            sum(one.cpu for one in took),
            sum(one.wall for one in took),
            max(one.peak_mb for one in took),
        ),
        longest=max(one.wall for one in took),
        written=sum(on_disk(Path(name)) for job in jobs for name in job.outputs),
        asked_mb=max(job.memory_mb for job in jobs),
        asked_minutes=max(job.minutes for job in jobs),
        planned_seconds=stage.core_hours * 3600 * len(own) / stage.jobs if stage else nan,
        planned_mb=stage.peak_memory_mb if stage else nan,
    )


HEAD = (
    "stage", "jobs", "CPU s", "wall s", "longest s", "asked min", "planned s", "planned/CPU",
    "peak GB", "planned GB", "asked GB", "written MB",
)  # fmt: skip


def cells(rows: Sequence[Row], whole: Mapping[str, Took]) -> list[list[str]]:
    """Return the table, its head first; whole commands last."""
    found = [list(HEAD)]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        asked = [f"{row.asked_minutes:.0f}" if row.asked_minutes else "",
                 f"{row.asked_mb / 1e3:.1f}" if row.asked_mb else ""]  # fmt: skip
        found.append([
            row.rule, str(row.jobs), f"{row.took.cpu:.1f}", f"{row.took.wall:.1f}",
            f"{row.longest:.1f}", asked[0], _given(row.planned_seconds, 1), ratio,
            f"{row.took.peak_mb / 1e3:.2f}", _given(row.planned_mb / 1e3, 2), asked[1],
            f"{row.written / 1e6:.1f}",
        ])  # fmt: skip
    for name, took in whole.items():
        numbers = [f"{took.cpu:.1f}", f"{took.wall:.1f}", f"{took.wall:.1f}"]
        found.append([name, "", *numbers, "", "", "", f"{took.peak_mb / 1e3:.2f}",
                      "", "", ""])  # fmt: skip
    return found


def _given(value: float, digits: int) -> str:
    return "" if isnan(value) else f"{value:.{digits}f}"


def sizes_of(plan: Plan, results: Path) -> list[list[str]]:
    """Return folder by folder what was planned and what is there, above a megabyte."""
    found = [["folder", "planned MB", "written MB"]]
    for folder in plan.folders:
        name = Path(folder.folder).name
        there = on_disk(results / name)
        if there > 1e6:
            found.append([name, f"{folder.whole_bytes / 1e6:.1f}", f"{there / 1e6:.1f}"])
    return found


def shown(rows: Sequence[Row], whole: Mapping[str, Took], sizes: Sequence[Sequence[str]]) -> str:
    """Return the tables as text."""
    return "\n\n".join([aligned(cells(rows, whole)), aligned(sizes)])


def aligned(table: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown whose columns stand under each other."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "| " + " | ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ) + " |"
        for row in table
    ]  # fmt: skip
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def document(file: Path, size: Size, about: str, tables: str) -> None:
    """Put the tables into a document, between its marks of this size, with when and where."""
    name = "full" if size == Size() else "other"
    begin, end = f"<!-- rehearsal {name} -->", f"<!-- end of rehearsal {name} -->"
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    when = f"{datetime.date.today()}, {commit}, {machine()}"
    # Without folders, which are this machine's.
    scale = "" if name == "full" else "--scale other "
    command = f'make rehearsal ARGS="{scale}--write docs/cost.md"'
    content = f"{begin}\n{about}. {when}.\n\n`{command}`\n\n{tables}\n{end}"
    text = file.read_text(encoding="utf-8")
    found = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: content, text, flags=re.S)
    if content not in found:
        raise SystemExit(f"{file} has no marks {begin} and {end}")
    write_text(found, file)


def machine() -> str:
    """Say what this runs on, and how much of it others had."""
    load = os.getloadavg()[2]
    cores = os.cpu_count()
    return (
        f"{cores} cores of {platform.machine()}, {machine_mb() / 1000:.0f} GB, "
        f"load {load:.1f} over the last 15 minutes"
    )
