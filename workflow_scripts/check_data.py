"""Rule check_data: everything the study reads is on disk, or one message says what is not."""

from pathlib import Path

from brainstruct.datasets.files import require_files
from brainstruct.datasets.interface import DataSet
from brainstruct.errors import InputError
from brainstruct.jobs.run import script
from brainstruct.store.files import write_json


@script
def check_data(
    *,
    required: list[str],
    holes: dict[str, tuple[str, str, str]],
    dataset: DataSet,
    listing: Path,
) -> None:
    """Write the list of files with their sizes."""
    for hole in holes.values():
        raise InputError(*hole)
    write_json(require_files(dataset, required), listing)
