"""Rule build_viewer: the maps of a subject as a page for a browser."""

import json
from pathlib import Path
from typing import Any

from brainstruct.figures.viewer import build_viewer, folder_size, scratch_store
from brainstruct.figures.viewer_maps import ceiling_map, maps_of_model
from brainstruct.figures.voxels import open_flatmap
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import read_dataset


def viewer(job: Any) -> None:
    """Write the page of one subject, with all models."""
    space = read_dataset(job.input.space, ["roi_label"], ["voxel"])
    maps = []
    for model, path in zip(job.params.models, job.input.winners, strict=True):
        winners = read_dataset(path, ["instruction_index", "layer", "alignment"], ["voxel"])
        maps += maps_of_model(winners, space, **model)
    maps.append(ceiling_map(space, job.params.ceiling))
    name = Path(job.input.packed).name
    entry = json.loads(Path(job.input.store).read_text(encoding="utf-8"))[job.wildcards.subject]
    flatmap = open_flatmap(job.input.store, job.params.flatmap, space)
    with scratch_store(Path(job.input.store).parent, name):
        build_viewer(
            job.output[0],
            maps,
            surface=name,
            transform=entry["transform"] if entry["source"] == "store" else None,
            flatmap=flatmap,
            packed=job.input.packed,
            title=f"Brain alignment, {job.wildcards.subject}",
        )
    log.info("%d maps, %.1f MB", len(maps), folder_size(job.output[0]) / 1e6)


run_job(viewer, globals().get("snakemake"))
