"""Rule draw_winning_instruction: which instruction suits each voxel best, on a flatmap."""

from pathlib import Path

from brainstruct.config.models import Instruction
from brainstruct.figures import winning_instruction as maps
from brainstruct.figures.style import instruction_colours
from brainstruct.figures.voxels import candidates_of, keys_of, open_stage, placed
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_winning_instruction(
    *,
    winners: Path,
    ceiling: Path,
    store: Path,
    legend: dict[str, Instruction],
    instructions: list[str],
    title: str,
    subject: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw one subject and model."""
    found = read_dataset(winners, ["instruction_index", "clear", "q", "margin"], ["voxel"])
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    keys = [str(key) for key in found["instruction"].values]
    candidates = candidates_of(found["candidate"], found["instruction_index"])
    maps.draw_winning_instruction(
        open_stage(store, subject, space, title),
        keys_of(found["instruction_index"], keys, space),
        placed(found["clear"], space),
        order=list(legend),
        colours=instruction_colours(instructions),
        texts={key: entry.text for key, entry in legend.items()},
        tasks={key: entry.task for key, entry in legend.items()},
        columns={"margin": found["margin"], "q": found["q"], "candidates": candidates},
    ).save(svg, png, table)
