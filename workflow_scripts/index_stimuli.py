"""Rule index_stimuli: the images a subject saw, with their trials."""

from typing import Any

from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.design import read_expdesign
from brainstruct.nsd.locate import locate
from brainstruct.nsd.stimuli import index_subject, read_stim_info
from brainstruct.store.tables import write_table


def index_stimuli(job: Any) -> None:
    """Write one row per image."""
    layout = locate(job.params.layout)
    design = read_expdesign(layout.expdesign_file)
    info = read_stim_info(layout.stim_info_file, design)
    index = index_subject(design, info, job.wildcards.subject, job.params.sessions)
    log.info(
        "%s, %d sessions: %d training and %d test images",
        job.wildcards.subject,
        job.params.sessions,
        (index["split"] == "train").sum(),
        (index["split"] == "test").sum(),
    )
    write_table(index, job.output[0])


run_job(index_stimuli, globals().get("snakemake"))
