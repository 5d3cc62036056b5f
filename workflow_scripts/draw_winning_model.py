"""Rule draw_winning_model: which model suits each voxel best, on a flatmap."""

from pathlib import Path

from brainstruct.figures.style import model_colours
from brainstruct.figures.voxels import candidates_of, keys_of, open_stage, placed
from brainstruct.figures.winning_instruction import draw_winning_instruction
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_winning_model(
    *,
    best_models: Path,
    ceiling: Path,
    store: Path,
    labels: dict[str, str],
    subject: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw one subject."""
    found = read_dataset(best_models, ["model_index", "clear", "q", "candidate"], ["voxel"])
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    keys = [str(key) for key in found["model"].values]
    draw_winning_instruction(
        open_stage(store, subject, space, subject),
        keys_of(found["model_index"], keys, space),
        placed(found["clear"], space),
        order=keys,
        colours=model_colours(list(labels)),
        texts=labels,
        columns={
            "q": found["q"],
            "candidates": candidates_of(found["candidate"], found["model_index"]),
        },
        race="model",
    ).save(svg, png, table)
