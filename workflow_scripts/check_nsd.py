"""Rule check_nsd: everything the study reads is on disk, or one message says what is not."""

from pathlib import Path

from brainstruct.datasets.nsd.check import require_nsd
from brainstruct.jobs.run import run_job
from brainstruct.store.files import write_json


def check_nsd(*, required: list[str], nsd_root: str, listing: Path) -> None:
    """Write the list of files with their sizes."""
    write_json(require_nsd(nsd_root, required), listing)


run_job(check_nsd, globals().get("snakemake"))
