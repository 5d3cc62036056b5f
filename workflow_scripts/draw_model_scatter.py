"""Rule draw_model_scatter: multimodal models against each other, voxel by voxel."""

from pathlib import Path

import xarray as xr

from brainstruct.encoding.regions import WHOLE, regions
from brainstruct.figures import model_scatter
from brainstruct.figures.roi_names import family_labels
from brainstruct.figures.voxels import placed
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_model_scatter(
    *,
    winners: list[Path],
    ceiling: Path,
    labels: dict[str, str],
    mask: str,
    subject: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw the means over instructions of one subject's voxels."""
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    scores = []
    for path in winners:
        found = read_dataset(path, ["alignment_by_instruction"], ["voxel", "instruction"])
        scores.append(placed(found["alignment_by_instruction"].mean("instruction"), space))
    models = list(labels)
    families = {
        region.family: region.voxels for region in regions(space, mask) if region.label == WHOLE
    }
    model_scatter.draw_model_scatter(
        xr.concat(scores, xr.DataArray(models, dims="model", name="model")),
        families,
        model_labels=labels,
        region_labels=family_labels(families),
        title=subject,
    ).save(svg, png, table)
