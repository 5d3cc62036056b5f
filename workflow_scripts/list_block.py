"""Rule list_block: the images of one embedding job."""

from pathlib import Path

from brainstruct.datasets.nsd.blocks import block_images
from brainstruct.datasets.nsd.design import read_expdesign
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.stimuli import read_stim_info
from brainstruct.jobs.run import log, run_job
from brainstruct.store.tables import write_table


def list_block(
    *, layout: Layout, owner: str, index: int, images: int, sessions: int, block: Path
) -> None:
    """Write one row per image."""
    design = read_expdesign(layout.expdesign_file)
    info = read_stim_info(layout.stim_info_file, design)
    found = block_images(design, info, owner, index, images=images, sessions=sessions)
    log.info("%d images", len(found))
    write_table(found, block)


run_job(list_block, globals().get("snakemake"))
