"""Rule draw_planted_recovered: what was planted beside what was found."""

from pathlib import Path
from typing import Any

import xarray as xr

from brainstruct.encoding.recovery import match_voxels
from brainstruct.figures.planted_recovered import draw_planted_recovered
from brainstruct.figures.voxels import keys_of, open_stage, placed
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset


def planted_recovered(job: Any) -> None:
    """Draw one subject and model."""
    winners = read_dataset(job.input.winners, ["instruction_index"], ["voxel"])
    space = read_dataset(job.input.space, ["roi_label"], ["voxel"])
    truth = match_voxels(
        read_dataset(job.input.truth, ["planted_instruction", "planted_model"]), space
    )
    planted = [
        instruction if model == job.wildcards.model else ""
        for model, instruction in zip(
            truth["planted_model"].values, truth["planted_instruction"].values, strict=True
        )
    ]
    legend = job.params.instructions
    drawing = draw_planted_recovered(
        open_stage(job.input.store, job.params.flatmap, space, job.params.title),
        placed(xr.DataArray(planted, dims="voxel"), space),
        keys_of(winners["instruction_index"], list(winners["instruction"].values), space),
        order=list(legend),
        texts={key: entry["text"] for key, entry in legend.items()},
        tasks={key: entry["task"] for key, entry in legend.items()},
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(planted_recovered, globals().get("snakemake"))
