"""Rule list_viewers: the page that leads to the interactive maps."""

from pathlib import Path

from brainstruct.figures import viewer_index as pages
from brainstruct.jobs.run import script
from brainstruct.store.files import write_text


@script
def list_viewers(*, subjects: list[str], study: str, viewer_index: Path) -> None:
    """Write the page."""
    page = pages.viewer_index(subjects, study, str(viewer_index.parent))
    write_text(page, viewer_index)
