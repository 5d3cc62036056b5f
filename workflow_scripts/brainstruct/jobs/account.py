"""What a job tells the ledger of its results folder, and what it asks of it."""

import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from brainstruct.errors import InputError
from brainstruct.store.cuda import gpus_of
from brainstruct.store.files import rebuild
from brainstruct.store.fingerprint import CODE_STAMP, stamp_of_code
from brainstruct.store.ledger import Entry, Ledger, Made, stage_of, write_entry

log = logging.getLogger("brainstruct")

SELF_CHECKED = ".nc"
"""Files with checksums of their own in every part: whoever reads a part verifies it."""


def warn_of_edits() -> None:
    """Log a warning if code was edited since the run began: results may not be what they seem."""
    if (begun := os.environ.get(CODE_STAMP)) and begun != stamp_of_code():
        log.warning(
            "code was edited since this run was started; what is made now may be of neither "
            "version: run again with --forcerun for the rules of these jobs"
        )


def keep_account(job: Any, seconds: float) -> None:
    """Publish what the job has made, of what, in what time and with how much memory."""
    # Of one that is not there, Snakemake speaks.
    outputs = [str(path) for path in job.output if Path(path).exists()]
    if not outputs:
        return
    root = root_of(job)
    entry = Entry.of_job(
        job,
        job.rule,
        made={_below(path, root): Made.of(Path(path)) for path in outputs},
        seconds=round(seconds, 1),
        peak_mb=peak_mb(),
        at=round(time.time(), 3),
        cpu=round(sum(use.ru_utime + use.ru_stime for use in _uses()), 1),
        gpus=gpus_of(job.resources),
    )
    write_entry(entry, root)


def require_inputs_as_made(job: Any) -> None:
    """Refuse tables, pictures and pages that are no longer what the job before wrote.

    An `InputError` if the content of a file of the results differs from what the ledger says.
    """
    root = root_of(job)
    names = {_below(path, root): Path(path) for path in map(str, job.input)}
    names = {
        name: path
        for name, path in names.items()
        if str(path) != name and path.suffix != SELF_CHECKED and path.exists()
    }
    if not names:
        return
    ledger = Ledger(root, {stage_of(name) for name in names})
    for _, entry in ledger.new():
        ledger.add(entry)
    for name, path in names.items():
        if name in ledger.entries and not ledger.entries[name].made[name].is_still(
            path, wholly=True
        ):
            raise InputError(path, "is not what was written there: its content differs from what "
                             "the ledger knows", rebuild(path))  # fmt: skip


def root_of(job: Any) -> str:
    """Return the folder of a job's results."""
    return str(job.config["results"]).rstrip("/")


def _below(path: str, root: str) -> str:
    """Return the name of a file as the ledger knows it: of results, below their folder."""
    return path.removeprefix(f"{root}/")


def peak_mb() -> int:
    """Return the most memory that this process held, or one that it has waited for."""
    # Bytes there, kB elsewhere.
    return max(use.ru_maxrss for use in _uses()) >> (20 if sys.platform == "darwin" else 10)


def _uses() -> list[resource.struct_rusage]:
    """Return what this process has used, and those that it has waited for."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
