"""Rule check_nsd: everything the study reads is on disk, or one message says what is not."""

from typing import Any

from brainstruct.jobs.run import run_job
from brainstruct.nsd.check import require_nsd
from brainstruct.store.files import write_json


def check_nsd(job: Any) -> None:
    """Write the list of files with their sizes."""
    write_json(require_nsd(job.params.nsd_root, job.params.required), job.output[0])


run_job(check_nsd, globals().get("snakemake"))
