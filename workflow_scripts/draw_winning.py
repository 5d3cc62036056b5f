"""Rules draw_winning_instruction and draw_winning_model: who suits each voxel best, as a map."""

from pathlib import Path
from typing import Literal

from brainstruct.config.models import Instruction
from brainstruct.figures.style import instruction_colours, model_colours
from brainstruct.figures.voxels import candidates_of, keys_of, open_stage, placed
from brainstruct.figures.winning_instruction import draw_winning_instruction
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_winning(
    *,
    winners: Path,
    ceiling: Path,
    store: Path,
    race: Literal["instruction", "model"],
    legend: dict[str, Instruction],
    instructions: list[str],
    labels: dict[str, str],
    title: str,
    subject: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw one subject, and one model where its instructions raced; who did not has no words."""
    found = read_dataset(winners, [f"{race}_index", "clear", "q", "candidate"], ["voxel"])
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    winner, keys = found[f"{race}_index"], [str(key) for key in found[race].values]
    columns = {name: found[name] for name in ("margin", "q") if name in found}
    of_models = race == "model"
    draw_winning_instruction(
        open_stage(store, subject, space, title),
        keys_of(winner, keys, space),
        placed(found["clear"], space),
        order=keys if of_models else list(legend),
        colours=model_colours(list(labels)) if of_models else instruction_colours(instructions),
        texts=labels if of_models else {key: entry.text for key, entry in legend.items()},
        tasks={key: entry.task for key, entry in legend.items()},
        columns=columns | {"candidates": candidates_of(found["candidate"], winner)},
        race=race,
    ).save(svg, png, table)
