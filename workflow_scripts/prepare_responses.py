"""Rule prepare_responses: a subject's betas, z-scored and averaged over repetitions."""

from pathlib import Path
from typing import Any

from brainstruct.datasets.averaging import average_betas
from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.lists import read_image_list
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import write_dataset


@script
def prepare_responses(
    *,
    image_list: Path,
    dataset: DataSet,
    subject: str,
    mask: str,
    code: str,
    responses: Path,
) -> None:
    """Read session by session; write one array."""
    averaged = average_betas(
        dataset.reader(),
        subject,
        read_image_list(image_list, dataset),
        mask=mask,
        progress=lambda done, total: log.info("%d of %d trials", done, total),
    )
    for name in sorted(name for name in averaged.attrs if name.startswith("n_")):
        log.info("%s: %s", name, averaged.attrs[name])
    said: dict[str, Any] = dataset.settings_for("betas", subject)
    write_dataset(averaged, responses, provenance={"dataset": said, "mask": mask, "code": code})
