"""Rule index_stimuli: the images a subject saw, with their trials."""

from pathlib import Path

from brainstruct.datasets.nsd.design import read_expdesign
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.stimuli import index_subject, read_stim_info
from brainstruct.jobs.run import log, run_job
from brainstruct.store.tables import write_table


def index_stimuli(*, layout: Layout, subject: str, sessions: int, image_list: Path) -> None:
    """Write one row per image."""
    design = read_expdesign(layout.expdesign_file)
    info = read_stim_info(layout.stim_info_file, design)
    images = index_subject(design, info, subject, sessions)
    log.info(
        "%s, %d sessions: %d training and %d test images",
        subject,
        sessions,
        (images["split"] == "train").sum(),
        (images["split"] == "test").sum(),
    )
    write_table(images, image_list)


run_job(index_stimuli, globals().get("snakemake"))
