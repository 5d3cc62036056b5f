"""Rule tabulate_rois: regional alignment of one subject and model."""

from typing import Any

import pandas as pd
import xarray as xr

from brainstruct.encoding.alignment import select_layers
from brainstruct.encoding.significance import combine_p, selected_p
from brainstruct.encoding.summary import alignment_table
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import write_table

MEAN = "mean"
"""Instruction key of the mean over a model's instructions."""


def tabulate_rois(job: Any) -> None:
    """Write one table by instruction and one by instruction and layer."""
    options = job.params.alignment
    scores = read_dataset(
        job.input.scores, ["r", "cv_score", "p"], ["instruction", "layer", "voxel"]
    )
    space = read_dataset(job.input.ceiling, ["ceiling_ncsnr"], ["voxel"])
    ceilings = {
        str(name).removeprefix("ceiling_"): space[name]
        for name in space.data_vars
        if str(name).startswith("ceiling_")
    }

    def tabulate(r: xr.DataArray, p: xr.DataArray) -> pd.DataFrame:
        table = alignment_table(
            r,
            p,
            ceilings,
            space,
            preferred=options["ceiling"],
            threshold=options["ceiling_threshold"],
            mask_name=job.params.mask,
        )
        table.insert(0, "model", job.wildcards.model)
        table.insert(0, "subject", job.wildcards.subject)
        return table

    r = select_layers(scores, options["layers"])["r"]
    p = selected_p(scores, options["layers"])
    mean = r.mean("instruction").expand_dims(instruction=[MEAN])
    together = combine_p(p, "instruction").expand_dims(instruction=[MEAN])
    write_table(
        tabulate(xr.concat([r, mean], "instruction"), xr.concat([p, together], "instruction")),
        job.output.alignment,
    )
    write_table(tabulate(scores["r"], scores["p"]), job.output.layers)


run_job(tabulate_rois, globals().get("snakemake"))
