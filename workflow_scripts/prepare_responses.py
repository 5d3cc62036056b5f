"""Rule prepare_responses: a subject's betas, z-scored and averaged over repetitions."""

from pathlib import Path
from typing import Any

from brainstruct.datasets.averaging import CHECKED, average_betas
from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.lists import read_image_list
from brainstruct.datasets.silent import SILENT
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import write_dataset

FURTHEST = 0.03
"""From the share of silent voxels that is promised; chance alone takes it half as far."""


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
    share = averaged.attrs["silent_share"]
    log.info("%.1f %% of voxels have more than the ncsnr of silent ones with images shuffled",
             100 * share)  # fmt: skip
    if abs(share - (1 - SILENT)) > FURTHEST and averaged.sizes["voxel"] >= CHECKED:
        log.warning(
            "%s: %.1f %% of voxels pass the noise ceiling's threshold with images shuffled within "
            "sessions, not 5 %%: set alignment.ceiling_threshold to a number",
            subject,
            100 * share,
        )
    said: dict[str, Any] = dataset.settings_for("betas", subject)
    write_dataset(averaged, responses, provenance={"dataset": said, "mask": mask, "code": code})
