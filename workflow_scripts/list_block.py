"""Rule list_block: the images of one embedding job."""

from typing import Any

from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.blocks import block_images
from brainstruct.nsd.design import read_expdesign
from brainstruct.nsd.locate import locate
from brainstruct.nsd.stimuli import read_stim_info
from brainstruct.store.tables import write_table


def list_block(job: Any) -> None:
    """Write one row per image."""
    layout = locate(job.params.layout)
    design = read_expdesign(layout.expdesign_file)
    block = block_images(
        design,
        read_stim_info(layout.stim_info_file, design),
        job.wildcards.owner,
        int(job.wildcards.index),
        images=job.params.images,
        sessions=job.params.sessions,
    )
    log.info("%d images", len(block))
    write_table(block, job.output[0])


run_job(list_block, globals().get("snakemake"))
