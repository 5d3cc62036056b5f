"""Rule list_viewers: the page that leads to the interactive maps."""

from pathlib import Path
from typing import Any

from brainstruct.figures.viewer_index import viewer_index
from brainstruct.jobs.run import run_job
from brainstruct.store.files import write_text


def list_viewers(job: Any) -> None:
    """Write the page."""
    folder = str(Path(job.output[0]).parent)
    write_text(viewer_index(job.params.subjects, job.params.study, folder), job.output[0])


run_job(list_viewers, globals().get("snakemake"))
