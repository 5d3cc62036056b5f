"""Rule draw_winning_instruction: which instruction suits each voxel best, on a flatmap."""

from pathlib import Path
from typing import Any

from brainstruct.figures.voxels import keys_of, open_stage, placed
from brainstruct.figures.winning_instruction import draw_winning_instruction
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset


def winning_instruction(job: Any) -> None:
    """Draw one subject and model."""
    winners = read_dataset(job.input.winners, ["instruction_index", "margin"], ["voxel"])
    space = read_dataset(job.input.space, ["roi_label"], ["voxel"])
    legend = job.params.instructions
    drawing = draw_winning_instruction(
        open_stage(job.input.store, job.params.flatmap, space, job.params.title),
        keys_of(winners["instruction_index"], list(winners["instruction"].values), space),
        order=list(legend),
        texts={key: entry["text"] for key, entry in legend.items()},
        tasks={key: entry["task"] for key, entry in legend.items()},
        margin=placed(winners["margin"], space),
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(winning_instruction, globals().get("snakemake"))
