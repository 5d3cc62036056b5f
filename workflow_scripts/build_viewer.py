"""Rule build_viewer: the maps of a subject as a page for a browser."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from brainstruct.figures.cortex_store import use_store
from brainstruct.figures.viewer import (
    build_viewer,
    ceiling_map,
    folder_size,
    maps_of_model,
)
from brainstruct.jobs import log, run_job
from brainstruct.store import read_dataset


def viewer(job: Any) -> None:
    """Write the page of one subject, with all models."""
    marker = Path(job.input.store)
    cortex = json.loads(marker.read_text(encoding="utf-8"))[job.wildcards.subject]
    vertices = np.load(marker.parent / cortex["vertices"]) if "vertices" in cortex else None
    space = read_dataset(job.input.space, ["roi_label"], ["voxel"])
    maps = []
    for model, path in zip(job.params.models, job.input.winners, strict=True):
        winners = read_dataset(path, ["instruction_index", "layer", "alignment"], ["voxel"])
        maps += maps_of_model(winners, space, **model)
    maps.append(ceiling_map(space, job.params.ceiling))
    use_store(marker.parent)
    build_viewer(
        job.output[0],
        maps,
        subject=cortex["cortex"],
        transform=cortex["transform"],
        vertices=vertices,
        packed=job.input.packed,
        volume_shape=space.attrs["volume_shape"],
        title=f"Brain alignment, {job.wildcards.subject}",
    )
    log.info("%d maps, %.1f MB", len(maps), folder_size(job.output[0]) / 1e6)


run_job(viewer, globals().get("snakemake"))
