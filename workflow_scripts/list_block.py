"""Rule list_block: the images of one block, those that were shown."""

from pathlib import Path

from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.lists import block_list
from brainstruct.jobs.run import log, script
from brainstruct.store.tables import write_table


@script
def list_block(*, dataset: DataSet, image_set: str, index: int, images: int, block: Path) -> None:
    """Write one row per image."""
    found = block_list(dataset, dataset.reader(), image_set, index, images)
    log.info("block %d of %s: %d images", index, image_set, len(found))
    write_table(found, block)
