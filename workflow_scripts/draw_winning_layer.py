"""Rule draw_winning_layer: which layer suits each voxel best, on a flatmap."""

from pathlib import Path
from typing import Any

from brainstruct.figures.voxels import open_stage, placed
from brainstruct.figures.winning_layer import draw_winning_layer
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset


def winning_layer(job: Any) -> None:
    """Draw one subject and model."""
    winners = read_dataset(job.input.winners, ["layer"], ["voxel"])
    space = read_dataset(job.input.space, ["roi_label"], ["voxel"])
    layer = winners["layer"].where(winners["layer"] >= 0)
    drawing = draw_winning_layer(
        open_stage(job.input.store, job.params.flatmap, space, job.params.title),
        placed(layer, space),
        n_layers=job.params.n_layers,
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(winning_layer, globals().get("snakemake"))
