"""Rule draw_concepts: which concept, and which instruction within it, suits each voxel best."""

from pathlib import Path

from brainstruct.config.models import Instruction
from brainstruct.figures import concepts as maps
from brainstruct.figures.style import instruction_colours
from brainstruct.figures.voxels import keys_of, open_stage, placed
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_concepts(
    *,
    concept_map: Path,
    ceiling: Path,
    store: Path,
    order: list[str],
    legend: dict[str, Instruction],
    instructions: list[str],
    title: str,
    subject: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw one subject and model."""
    found = read_dataset(
        concept_map, ["concept_index", "concept_clear", "clear", "member"], ["voxel", "concept"]
    )
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    names = [str(name) for name in found["concept"].values]
    given = [str(name) for name in found["instruction"].values]
    groups = {
        name: [key for key, inside in zip(given, row, strict=True) if inside]
        for name, row in zip(names, found["member"].values, strict=True)
    }
    maps.draw_concepts(
        open_stage(store, subject, space, title),
        keys_of(found["concept_index"], names, space),
        {
            name: keys_of(found["instruction_index"].sel(concept=name), given, space)
            for name in names
        },
        {"": placed(found["concept_clear"], space)}
        | {name: placed(found["clear"].sel(concept=name), space) for name in names},
        groups=groups,
        colours=instruction_colours(instructions),
        concepts=order,
        texts={key: entry.text for key, entry in legend.items()},
    ).save(svg, png, table)
