"""Rule draw_planted_recovered: what was planted beside what was found."""

from pathlib import Path

import xarray as xr

from brainstruct.config.models import Instruction
from brainstruct.encoding.recovery import match_voxels
from brainstruct.figures import planted_recovered
from brainstruct.figures.style import instruction_colours
from brainstruct.figures.voxels import keys_of, open_stage, placed
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_planted_recovered(
    *,
    winners: Path,
    ceiling: Path,
    truth: Path,
    store: Path,
    legend: dict[str, Instruction],
    instructions: list[str],
    title: str,
    subject: str,
    model: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw one subject and model."""
    found = read_dataset(winners, ["instruction_index", "clear"], ["voxel"])
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    driven = match_voxels(read_dataset(truth, ["planted_instruction", "planted_model"]), space)
    planted = [
        instruction if driver == model else ""
        for driver, instruction in zip(
            driven["planted_model"].values, driven["planted_instruction"].values, strict=True
        )
    ]
    planted_recovered.draw_planted_recovered(
        open_stage(store, subject, space, title),
        placed(xr.DataArray(planted, dims="voxel"), space),
        keys_of(found["instruction_index"], list(found["instruction"].values), space),
        placed(found["clear"], space),
        order=list(legend),
        colours=instruction_colours(instructions),
        texts={key: entry.text for key, entry in legend.items()},
        tasks={key: entry.task for key, entry in legend.items()},
    ).save(svg, png, table)
