"""Rule index_stimuli: the images a subject saw, with their trials."""

from pathlib import Path

from brainstruct.datasets import lists
from brainstruct.datasets.interface import DataSet
from brainstruct.jobs.run import log, script
from brainstruct.store.tables import write_table


@script
def index_stimuli(*, dataset: DataSet, subject: str, image_list: Path) -> None:
    """Write one row per image."""
    images = lists.image_list(dataset, dataset.reader(), subject)
    train = int((images["split"] == lists.TRAIN).sum())
    log.info("%s: %d training and %d test images", subject, train, len(images) - train)
    write_table(images, image_list)
