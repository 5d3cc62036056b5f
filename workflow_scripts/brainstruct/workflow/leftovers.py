"""Finds jobs that a run of Snakemake has left in SLURM's queue.

If Snakemake is killed, its jobs go on, and Snakemake itself would send them a second time, and
would not notice later changes of what they made. A new run waits for them instead, and records them
as Snakemake would have. And a run that ends by an error or an interrupt leaves none.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from brainstruct.errors import InputError

Answer = TypeVar("Answer")

FIRST_POLL, LAST_POLL = 5.0, 60.0  # seconds between looks at the queue, at the start and later
TRIES_TO_BEGIN, TRIES_TO_END = 8, 3
"""How often SLURM is asked, where it does not answer: for minutes, and for some seconds."""


class NoAnswerError(Exception):
    """SLURM has not said what it was asked: nothing is known of its jobs."""


@dataclass(frozen=True)
class QueuedJob:
    """A job in SLURM's queue."""

    id: str
    submitted: float  # seconds since the epoch
    folder: str  # where it was submitted
    comment: str  # rule and wildcards, as the executor plugin writes them


def read_queue(text: str) -> list[QueuedJob]:
    """Read what ``squeue --format=%i|%V|%Z|%k`` printed."""
    jobs = (line.split("|", 3) for line in text.splitlines())
    return [
        QueuedJob(number, datetime.fromisoformat(submitted).timestamp(), folder, comment)
        for number, submitted, folder, comment in jobs
    ]


def comment_of(rule: str, wildcards: Iterable[str]) -> str:
    """Return the comment that the executor plugin gives to a job."""
    joined = "_".join(wildcards).replace("/", "_")
    return f"rule_{rule}_wildcards_{joined}" if joined else f"rule_{rule}"


def belonging(queue: Iterable[QueuedJob], folder: Path, comments: set[str]) -> list[QueuedJob]:
    """Return the queued jobs that are jobs of a plan in a folder."""
    here = folder.resolve()
    return [job for job in queue if job.comment in comments and Path(job.folder).resolve() == here]


def leftovers(workflow: Any) -> list[QueuedJob]:
    """Return the queued jobs whose outputs this run would make, its plan being made.

    They are of the same folder, rule, wildcards and configuration files; studies
    that share a folder differ in the last. The run holds Snakemake's lock on
    these outputs: no other is waiting for the jobs. A `NoAnswerError` if SLURM does not say.
    """
    if shutil.which("squeue") is None:
        return []
    comments = {
        comment_of(job.rule.name, job.wildcards) for job in workflow.dag.needrun_jobs(False)
    }
    found = belonging(_queue(), Path(workflow.workdir_init), comments)
    configuration = workflow.spawned_job_args_factory.get_configfiles_arg()
    return [job for job in found if _is_configured(_batch_script(job.id), configuration)]


def finish_leftovers(workflow: Any) -> None:
    """Wait for the jobs of an earlier run, then start this one again.

    To be called before a run sends jobs. Returns at once if there are none.
    Jobs that are older than a change of the configuration are cancelled, for
    their results might not be what is asked for now. An `InputError` if this run is to send
    jobs to SLURM, which does not say, for minutes, what it has.
    """
    sends = sends_to_slurm(workflow)
    try:
        found = _patiently(lambda: leftovers(workflow), TRIES_TO_BEGIN if sends else 1)
    except NoAnswerError as error:
        if sends:
            raise _silence(error) from error
        found = []  # SLURM's tools are here, and likely no cluster is configured
    # A workflow that uses this one as a module may have its settings in its Snakefile.
    settings = workflow.configfiles or [workflow.main_snakefile]
    changed = max(Path(path).stat().st_mtime for path in settings)
    if not found:
        _record_unrecorded(workflow, changed)
        return
    outdated = [job for job in found if job.submitted < changed]
    kept = [job for job in found if job.submitted >= changed]
    if outdated:
        say(f"Cancelling jobs of an earlier run with other settings: {_ids(outdated)}")
        try:
            _patiently(lambda: _cancel(outdated), TRIES_TO_BEGIN)
        except NoAnswerError as error:
            raise _silence(error) from error
    if kept:
        say(f"Waiting for jobs that an earlier run has left in the queue: {_ids(kept)}")
    pause = FIRST_POLL
    while _patiently(lambda: _still_there(found)):
        time.sleep(pause)
        pause = min(1.5 * pause, LAST_POLL)
    say("They have ended. Planning anew.")
    awaited = {job.comment for job in kept}
    for job in workflow.dag.needrun_jobs(False):
        if comment_of(job.rule.name, job.wildcards) in awaited and _is_whole(workflow, job):
            _record(workflow, job)
    workflow.persistence.unlock()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def cancel_leftovers(workflow: Any) -> None:
    """Cancel what a run that ends without success still has in the queue."""

    def cancel() -> None:
        found = leftovers(workflow)
        if found:
            say(f"Cancelling what is left in the queue: {_ids(found)}")
            _cancel(found)

    sends = sends_to_slurm(workflow)
    try:
        _patiently(cancel, TRIES_TO_END if sends else 1)
    except NoAnswerError as error:
        if sends:
            say(f"SLURM does not answer ({error}). Jobs may be left there: squeue shows them.")


def sends_to_slurm(workflow: Any) -> bool:
    """Return whether a run's jobs go to SLURM."""
    return workflow.executor_plugin is not None and workflow.executor_plugin.name == "slurm"


def _record_unrecorded(workflow: Any, changed: float) -> None:
    """Record jobs that ended while no Snakemake was there to see it."""
    needed = set(workflow.dag.needrun_jobs(False))
    for job in workflow.dag.jobs:
        if job in needed or not job.output or workflow.persistence.has_metadata(job):
            continue
        if _is_whole(workflow, job) and all(
            Path(path).stat().st_mtime > changed for path in job.output
        ):
            _record(workflow, job)


def _is_whole(workflow: Any, job: Any) -> bool:
    """Whether all outputs of a job are there, and none is marked as incomplete."""
    return all(Path(path).exists() for path in job.output) and not workflow.async_run(
        workflow.persistence.incomplete(job)
    )


def _record(workflow: Any, job: Any) -> None:
    """Write down what outputs were made from, as Snakemake does when it sees a job end."""
    workflow.async_run(workflow.persistence.finished(job))


def _is_configured(script: str, configuration: str) -> bool:
    """Whether a job's script names these configuration files and no others."""
    if not configuration:
        return "--configfiles " not in script
    # What follows is the next option, or the end of the command.
    return re.search(re.escape(configuration) + r"(?=\s+-|[\"']?\s*(\n|$))", script) is not None


def _batch_script(job: str) -> str:
    """Return the script of a job; empty if it has just left the queue."""
    try:
        return _slurm("scontrol", "write", "batch_script", job, "-")
    except NoAnswerError as error:
        if "Invalid job id" in str(error):
            return ""
        raise


def _queue() -> list[QueuedJob]:
    """Return this user's jobs."""
    return read_queue(
        _slurm("squeue", "--noheader", f"--user={os.getuid()}", "--format=%i|%V|%Z|%k")
    )


def _still_there(jobs: Iterable[QueuedJob]) -> list[QueuedJob]:
    """Return those of some jobs that are still in the queue."""
    there = {job.id for job in _queue()}
    return [job for job in jobs if job.id in there]


def _cancel(jobs: Sequence[QueuedJob]) -> None:
    left = _still_there(jobs)  # SLURM calls it an error to cancel what has ended
    if left:
        _slurm("scancel", *(job.id for job in left))


def _slurm(*command: str) -> str:
    """Run one of SLURM's commands and return what it printed."""
    plain = {  # without the user's taste in what squeue shows, and how
        name: value
        for name, value in os.environ.items()
        if name != "SLURM_TIME_FORMAT" and not name.startswith("SQUEUE_")
    }
    asked = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    if asked.returncode != 0:
        said = asked.stderr.strip() or f"{command[0]} ended with status {asked.returncode}"
        raise NoAnswerError(said.splitlines()[-1])
    return asked.stdout


def _patiently(ask: Callable[[], Answer], tries: float = float("inf")) -> Answer:
    """Ask SLURM again until it answers: an outage says nothing about jobs."""
    pause, tried = FIRST_POLL, 1
    while True:
        try:
            return ask()
        except NoAnswerError as error:
            if tried >= tries:
                raise
            if tried == 1:
                say(f"SLURM does not answer ({error}). It is asked again.")
        time.sleep(pause)
        pause, tried = min(1.5 * pause, LAST_POLL), tried + 1


def _silence(error: NoAnswerError) -> InputError:
    return InputError(
        "SLURM",
        f"does not say which jobs it has ({error})",
        "Those of an earlier run would be sent twice; run again when squeue answers",
    )


def _ids(jobs: Sequence[QueuedJob]) -> str:
    return ", ".join(job.id for job in jobs)


def say(line: str) -> None:
    """Print a line where Snakemake prints."""
    print(line, file=sys.stderr, flush=True)
