"""A job that fails as its wildcard says, while it has too little."""

import os
import signal
from pathlib import Path

from brainstruct.errors import InputError
from brainstruct.jobs import run


def fail(way: str, mem_mb: int, output: Path) -> None:
    """Do what the job's wildcard says."""
    with Path(f"{way}.asked").open("a") as asked:
        asked.write(f"{mem_mb}\n")
    if way == "refused" and mem_mb < 400:
        raise MemoryError("Unable to allocate")
    if way == "killed" and mem_mb < 200:
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "cancelled" and len(Path("cancelled.asked").read_text().split()) < 2:
        os.kill(os.getpid(), signal.SIGTERM)
    if way == "input":
        raise InputError("volume.nii.gz", "has no voxels", "Give it some")
    if way == "defect":
        raise ZeroDivisionError("here")
    output.write_text("made\n")


def bind(function, job):
    """Take what this function needs from any job."""
    return {
        "way": job.wildcards.way,
        "mem_mb": job.resources.mem_mb,
        "output": Path(job.output[0]),
    }


run.bind = bind
snakemake.config.setdefault("results", "results")  # noqa: F821
run.run_job(fail, snakemake)  # noqa: F821
