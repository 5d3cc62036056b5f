"""Rule build_viewer: the maps of a subject as a page for a browser."""

from pathlib import Path

from brainstruct.config.models import ShownModel
from brainstruct.figures import viewer as pages
from brainstruct.figures.style import instruction_colours
from brainstruct.figures.viewer_maps import ceiling_map, maps_of_model
from brainstruct.figures.voxels import open_flatmap, read_entry
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import read_dataset


@script
def build_viewer(
    *,
    winners: list[Path],
    ceiling: Path,
    store: Path,
    packed: Path,
    models: list[ShownModel],
    instructions: list[str],
    preferred: str,
    subject: str,
    viewer: Path,
) -> None:
    """Write the page of one subject, with all models."""
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    maps, colours = [], instruction_colours(instructions)
    for model, path in zip(models, winners, strict=True):
        found = read_dataset(path, ["instruction_index", "clear", "layer", "alignment"], ["voxel"])
        maps += maps_of_model(
            found,
            space,
            key=model.key,
            label=model.label,
            n_layers=model.n_layers,
            instructions=model.texts,
            colours=colours,
        )
    maps.append(ceiling_map(space, preferred))
    entry = read_entry(store, subject)
    flatmap = open_flatmap(store, subject, space)
    with pages.scratch_store(store, packed.name):
        pages.build_viewer(
            viewer,
            maps,
            surface=packed.name,
            transform=entry["transform"] if entry["source"] == "store" else None,
            flatmap=flatmap,
            packed=packed,
            title=f"Brain alignment, {subject}",
        )
    log.info("%d maps, %.1f MB", len(maps), sum(pages.file_sizes(viewer).values()) / 1e6)
