"""Rule list_viewers: the page that leads to the interactive maps."""

from pathlib import Path

from brainstruct.figures.viewer_index import viewer_index
from brainstruct.jobs.run import run_job
from brainstruct.store.files import write_text


def list_viewers(*, subjects: list[str], study: str, index: Path) -> None:
    """Write the page."""
    write_text(viewer_index(subjects, study, str(index.parent)), index)


run_job(list_viewers, globals().get("snakemake"))
