"""Rule collect_scores: the fits of a subject and model as one labelled array."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from brainstruct.jobs import log, run_job
from brainstruct.store import provenance, read_dataset, write_dataset

SCORES = ("r", "r2", "cv_score", "alpha")


def collect_scores(job: Any) -> None:
    """Stack fits along instruction and layer."""
    names, layers = job.params.instructions, job.params.layers
    paths = iter(job.input)  # targets.fits_of lists them instruction by instruction
    rows = []
    for name in names:
        fits = []
        for layer in layers:
            path = Path(next(paths))
            fit = read_dataset(path, SCORES, ["voxel"])
            if fit.attrs["layer"] != layer or path.parent.name != name:
                raise ValueError(f"{path} is not layer {layer} of instruction {name}")
            fits.append(fit)
        rows.append(xr.concat(fits, xr.IndexVariable("layer", layers), join="exact",
                              combine_attrs="drop_conflicts"))  # fmt: skip
    scores = xr.concat(rows, xr.IndexVariable("instruction", names), join="exact",
                       combine_attrs="drop_conflicts")[list(SCORES)]  # fmt: skip
    origin = provenance(read_dataset(job.input[0]))
    log.info(
        "%d instructions, %d layers, %d voxels, mean r %.4f",
        *(scores.sizes[dim] for dim in ("instruction", "layer", "voxel")),
        float(np.nanmean(scores["r"])),
    )
    write_dataset(
        scores.transpose("instruction", "layer", "voxel"),
        job.output[0],
        provenance=origin,
        chunks={name: {"instruction": 1, "layer": 1} for name in SCORES},
    )


run_job(collect_scores, globals().get("snakemake"))
