"""Rule draw_alignment_maps: alignment and margin of one subject's voxels, model by model."""

from pathlib import Path

import xarray as xr

from brainstruct.figures import alignment_maps
from brainstruct.figures.voxels import open_stage, placed
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_alignment_maps(
    *,
    winners: list[Path],
    ceiling: Path,
    store: Path,
    labels: dict[str, str],
    subject: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw all models at the same scales."""
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    shown = {}
    for model, path in zip(labels, winners, strict=True):
        found = read_dataset(path, ["alignment", "margin"], ["voxel"])
        shown[model] = xr.Dataset(
            {name: placed(found[name], space) for name in ("alignment", "margin")}
        )
    stage = open_stage(store, subject, space, subject)
    alignment_maps.draw_alignment_maps(stage, shown, labels=labels).save(svg, png, table)
