"""Rule draw_alignment_maps: alignment and margin of one subject's voxels, model by model."""

from pathlib import Path
from typing import Any

import xarray as xr

from brainstruct.figures.alignment_maps import draw_alignment_maps
from brainstruct.figures.voxels import open_stage, placed
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset


def alignment_maps(job: Any) -> None:
    """Draw all models at the same scales."""
    space = read_dataset(job.input.space, ["roi_label"], ["voxel"])
    winners = {}
    for model, path in zip(job.params.labels, job.input.winners, strict=True):
        found = read_dataset(path, ["alignment", "margin"], ["voxel"])
        winners[model] = xr.Dataset(
            {name: placed(found[name], space) for name in ("alignment", "margin")}
        )
    stage = open_stage(job.input.store, job.params.flatmap, space, job.wildcards.subject)
    drawing = draw_alignment_maps(stage, winners, labels=job.params.labels)
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(alignment_maps, globals().get("snakemake"))
