"""What a job asks of the cluster when it is sent again: more of what it lacked, or nothing more.

Snakemake knows of a failed job only which attempt it was. Here the mark that it left
(`brainstruct.store.marks`) is read before it is sent again: twice the memory after a lack
of memory, twice the time after a lack of time, up to the end of the partitions; the same
after any other failure; and what would fail again is not tried.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, TypeAlias

from brainstruct.store.ledger import FOLDER
from brainstruct.store.marks import MARKS, Mark, mark_file, take_mark
from brainstruct.workflow.leftovers import say, sends_to_slurm

Lacked: TypeAlias = Literal["mem_mb", "runtime"]
"""Resources that grow, by their names in Snakemake: MB and minutes."""

_LIMITS = {"mem_mb": "max_mem_mb", "runtime": "max_runtime"}  # in the partitions file
_CONTROL_GROUPS = ("memory.max", "memory/memory.limit_in_bytes")
"""Limits of a container or a scheduler's job, by either version of control groups."""
_WORDS = {"mem_mb": ("memory", "MB"), "runtime": ("time", "minutes")}
_NEARLY = 0.98  # of its time: clocks of nodes differ, and SLURM's is not Snakemake's


@dataclass(frozen=True)
class Next:
    """What becomes of a job that has failed."""

    lacked: Lacked | None = None
    ends: bool = False  # it would fail again
    because: str = ""


def next_of(mark: Mark | None, minutes: float | None, now: float) -> Next:
    """Tell by its mark what a job lacked; it has none if it never began.

    `minutes` it was given, or `None`: nobody ends it after a time. `now` is when it was seen to
    have failed, in seconds since the epoch.
    """
    if mark is None or mark.ending == "error":
        return Next()
    if mark.ending == "input":
        return Next(ends=True, because="it would fail again: its log says what to mend")
    if mark.ending == "memory":
        return Next("mem_mb")
    late = minutes is not None and (mark.ended or now) - mark.started >= _NEARLY * 60 * minutes
    if late:
        return Next("runtime")
    # Told to end before its time: cancelled. Without a word: killed, as for lack of memory.
    return Next() if mark.ending == "signal" else Next("mem_mb")


class Requests:
    """Requests of one run's jobs; see `stand`."""

    def __init__(self, workflow: Any, root: str) -> None:
        self._workflow, self._root = workflow, root
        self._asked: dict[tuple[object, ...], int] = {}  # by resource, rule and wildcards
        self._partitions: list[Any] = []
        self._handle: Any = None

    def stand(self) -> None:
        """Look at every failed job of the scheduler, which stands now and has sent nothing."""
        for path in (Path(self._root) / FOLDER / MARKS).glob("*.json"):
            path.unlink(missing_ok=True)  # of earlier runs
        self._partitions = partitions_of(self._workflow)
        for rule in self._workflow.rules:
            for name in _LIMITS.keys() & rule.resources.keys():
                rule.resources[name] = self._growing(name, rule.resources[name])
        scheduler = self._workflow.scheduler
        self._handle, scheduler._handle_error = scheduler._handle_error, self._failed

    def _growing(self, name: str, request: Any) -> Any:
        """Return a resource that is what the rule or profile says, until a job lacked it."""

        def resource(
            wildcards: Any,
            input: Any,
            threads: int,
            rulename: str,
            async_run: Any,
        ) -> Any:
            known = self._asked.get((name, rulename, *wildcards))
            first = {"input": input, "threads": threads, "rulename": rulename}
            return (
                known or request.evaluate(wildcards, attempt=1, async_run=async_run, **first).value
            )

        return type(request)(name, resource, raw=request.raw)

    def _failed(self, job: Any, *arguments: Any, **named: Any) -> None:
        """Stand before Snakemake's own handler, which sends a job again or gives it up."""
        members = members_of(job)
        for one in members:
            if one.output and not self._workflow.dryrun and not self._prepare(one):
                for other in (job, *members):
                    other._attempt = job.restart_times + 1  # the last that it would get
        self._handle(job, *arguments, **named)

    def _prepare(self, job: Any) -> bool:
        """Let a job ask for what it lacked; return whether it makes sense to send it again."""
        mark = take_mark(mark_file(self._root, job.output))
        minutes = None if job.is_local else job.resources.get("runtime")
        found = next_of(mark, minutes, time.time())
        again = job.restart_times > job.attempt - 1
        who = " ".join([job.rule.name, *job.wildcards])
        if found.ends:
            if again:
                say(f"{who} is not tried again: {found.because}.")
            return False
        if found.lacked is None:
            return True
        noun, unit = _WORDS[found.lacked]
        had = job.resources.get(found.lacked)
        if not isinstance(had, int) or not again:
            return True
        more = more_of(found.lacked, job, self._partitions)
        if more <= had:
            say(f"{who} ran out of {noun}, and is not tried again: it had {had} {unit}, and no "
                 "partition that suits it gives more.")  # fmt: skip
            return False
        say(f"{who} ran out of {noun} ({had} {unit}). It is tried again with {more}.")
        self._asked[(found.lacked, job.rule.name, *job.wildcards)] = more
        return True


def members_of(job: Any) -> list[Any]:
    """Return the jobs of a group; of any other job, itself."""
    return list(getattr(job, "jobs", [job]))


def partitions_of(workflow: Any) -> list[Any]:
    """Return the partitions of the file that a run goes by; none where it names no file."""
    path = getattr(workflow.executor_settings, "partition_config", None)
    if not sends_to_slurm(workflow) or path is None:
        return []
    from snakemake_executor_plugin_slurm.partitions import read_partition_file  # it is in use

    return list(read_partition_file(Path(path)))


def more_of(name: Lacked, job: Any, partitions: list[Any]) -> int:
    """Return twice what a job had, or the most that a partition gives which suits it.

    What suits it the executor plugin says.
    """
    had = int(job.resources.get(name))
    chosen = job.resources.get("slurm_partition")
    if chosen is not None:
        partitions = [one for one in partitions if one.name == chosen]
    if not partitions:
        return 2 * had
    most = [int(min(2 * had, getattr(one.limits, _LIMITS[name]))) for one in partitions]
    return max(
        (
            more
            for one, more in zip(partitions, most, strict=True)
            if suits(one, job.threads, dict(job.resources.items()) | {name: more})
        ),
        default=had,
    )


def suits(partition: Any, threads: int, resources: Mapping[str, Any]) -> bool:
    """Whether a partition can do what a job asks for."""
    asking = SimpleNamespace(threads=threads, resources=resources)
    return partition.score_job_fit(asking) is not None


def share_machine(workflow: Any) -> None:
    """Bound the memory of jobs side by side where GPUs are, here: profiles/local, say.

    A job that asks for more than this machine has runs alone. Those that embed start before others
    that could: a GPU is not to wait while cores are taken.
    """
    bounds = workflow.global_resources
    if "gpu" not in bounds or sends_to_slurm(workflow):
        return
    if "mem_mb" not in bounds:
        bounds["mem_mb"] = machine_mb()
    for rule in workflow.rules:
        rule.priority += Path(rule.script or "").name == "embed.py"


def machine_mb() -> int:
    """Return the memory that this process may use: the machine's, or less by a limit on it."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    root = Path("/sys/fs/cgroup")
    own = Path("/proc/self/cgroup")
    groups = own.read_text(encoding="utf-8").split() if own.is_file() else []
    for group in (line.rpartition(":")[2].strip("/") for line in groups):
        folders = [root / group, *(root / group).parents]
        for file in (folder / name for folder in folders for name in _CONTROL_GROUPS):
            if file.is_file() and (text := file.read_text().strip()).isdecimal():
                found.append(int(text))
    return min(found) // 1_000_000
