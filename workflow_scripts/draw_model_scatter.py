"""Rule draw_model_scatter: multimodal models against each other, voxel by voxel."""

from pathlib import Path
from typing import Any

import xarray as xr

from brainstruct.encoding.regions import WHOLE, regions
from brainstruct.figures.model_scatter import draw_model_scatter
from brainstruct.figures.roi_names import family_labels
from brainstruct.figures.voxels import placed
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset


def model_scatter(job: Any) -> None:
    """Draw the means over instructions of one subject's voxels."""
    space = read_dataset(job.input.space, ["roi_label"], ["voxel"])
    scores = []
    for path in job.input.winners:
        found = read_dataset(path, ["alignment_by_instruction"], ["voxel", "instruction"])
        scores.append(placed(found["alignment_by_instruction"].mean("instruction"), space))
    models = list(job.params.labels)
    families = {
        region.family: region.voxels
        for region in regions(space, job.params.mask)
        if region.label == WHOLE
    }
    drawing = draw_model_scatter(
        xr.concat(scores, xr.DataArray(models, dims="model", name="model")),
        families,
        model_labels=job.params.labels,
        region_labels=family_labels(families),
        title=job.wildcards.subject,
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(model_scatter, globals().get("snakemake"))
