"""Rule draw_concepts: which concept, and which instruction within it, suits each voxel best."""

from pathlib import Path
from typing import Any

from brainstruct.figures.concepts import draw_concepts
from brainstruct.figures.voxels import keys_of, open_stage
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset


def concepts(job: Any) -> None:
    """Draw one subject and model."""
    found = read_dataset(job.input.concepts, ["concept_index", "member"], ["voxel", "concept"])
    space = read_dataset(job.input.space, ["roi_label"], ["voxel"])
    names = [str(name) for name in found["concept"].values]
    given = [str(name) for name in found["instruction"].values]
    groups = {
        name: [key for key, inside in zip(given, row, strict=True) if inside]
        for name, row in zip(names, found["member"].values, strict=True)
    }
    drawing = draw_concepts(
        open_stage(job.input.store, job.params.flatmap, space, job.params.title),
        keys_of(found["concept_index"], names, space),
        {
            name: keys_of(found["instruction_index"].sel(concept=name), given, space)
            for name in names
        },
        groups=groups,
        concepts=job.params.concepts,
        texts={key: entry["text"] for key, entry in job.params.instructions.items()},
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(concepts, globals().get("snakemake"))
