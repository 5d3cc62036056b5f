"""The bridge between a Snakemake job and a function.

A script of the workflow is one function with named arguments, marked as its `script`;
`run_job` takes them from the job, and gives it a log that always ends with what was
written or with what went wrong.
"""

import logging
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from brainstruct.errors import InputError
from brainstruct.jobs.account import keep_account, require_inputs_as_made, warn_of_edits
from brainstruct.jobs.binding import bind
from brainstruct.jobs.gpus import hold_gpus
from brainstruct.jobs.help import usage
from brainstruct.jobs.marking import Marking
from brainstruct.jobs.memory import take_blas_buffers
from brainstruct.store.cuda import gpus_of, trouble_of_gpu
from brainstruct.store.faults import lack_of_memory, trouble_of

log = logging.getLogger("brainstruct")

Function = TypeVar("Function", bound=Callable[..., None])


def script(function: Function) -> Function:
    """Mark the function of a script, the last in it: it runs if Snakemake runs the script."""
    run_job(function, function.__globals__.get("snakemake"))
    return function


def run_job(function: Callable[..., None], job: Any) -> None:
    """Run the function behind a rule, with its log; `bind` says what the function takes.

    `job` is ``snakemake`` of the script; `None` if it is not run by Snakemake. Then nothing happens
    if it is imported; run by hand, it says what it does, and ends (`SystemExit`) with status 0 if
    that was asked for by ``--help``, else 2. In a job it ends with status 1, and one line in the
    log, after an `InputError`, a lack of memory, or if an input turns out to be damaged or gone.
    Any other exception is logged with its traceback and raised.
    """
    if job is None:
        if function.__module__ == "__main__":
            _explain(function)
        return
    _configure_logging(Path(job.log[0]) if job.log else None)
    log.info(
        "%s on %s, %d thread(s), job %s",
        job.rule,
        platform.node(),
        job.threads,
        os.environ.get("SLURM_JOB_ID", "local"),
    )
    started = time.monotonic()
    with Marking(job) as mark:
        try:
            mark.begin()
            with threadpool_limits(job.threads), hold_gpus(gpus_of(job.resources)):
                take_blas_buffers()
                warn_of_edits()
                require_inputs_as_made(job)
                function(**bind(function, job))
                keep_account(job, time.monotonic() - started)
        except Exception as error:
            clear = _in_one_line(error, job)
            mark.explain(error, clear=clear is not None)
            if clear is None:
                log.exception("%s failed", job.rule)
                raise
            log.error("%s", clear)
            raise SystemExit(1) from None
        except BaseException:
            log.exception("%s failed", job.rule)
            raise
    outputs = list(job.output)
    if not outputs:
        return
    more = f" and {len(outputs) - 1} more" if len(outputs) > 1 else ""
    log.info("wrote %s%s in %.1f s", outputs[0], more, time.monotonic() - started)


def _explain(function: Callable[..., None]) -> None:
    """Say what the script that was run by hand is for."""
    script = sys.modules["__main__"]
    text = usage(Path(script.__file__ or ""), script.__doc__ or "", function)
    asked = bool({"-h", "--help"}.intersection(sys.argv[1:]))
    print(text, file=sys.stdout if asked else sys.stderr)
    raise SystemExit(0 if asked else 2)


def _in_one_line(error: Exception, job: Any) -> str | None:
    """Say what a user can mend; `None` for a defect of the program."""
    found = trouble_of_gpu(error)
    refused = None if found else lack_of_memory(error)  # a GPU's is another memory
    if refused is not None:
        return (
            f"out of memory: {refused}. Give rule {job.rule} more (resources: mem_mb; without "
            "SLURM: ulimit -v), or lower encoding.targets_per_batch or embedding.batch_size."
        )
    if isinstance(error, InputError):
        return str(error)
    if found:
        return str(InputError(job.rule, *found))
    if isinstance(error, (OSError, RuntimeError)):
        if found := trouble_of(error):
            return str(InputError(getattr(error, "filename", None) or job.rule, *found))
        # Files that are read piece by piece fail amid the work, without a name.
        from brainstruct.store.arrays import first_damaged  # only now: it loads much

        damaged = first_damaged(job.input)
        return None if damaged is None else str(damaged)
    return None


def _configure_logging(path: Path | None) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="a", encoding="utf-8"))
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")
    for handler in handlers:
        handler.setFormatter(formatter)
    log.handlers[:] = handlers
    log.setLevel(logging.INFO)
    log.propagate = False
    logging.captureWarnings(True)
    warnings_log = logging.getLogger("py.warnings")
    warnings_log.handlers[:] = handlers
    warnings_log.propagate = False
