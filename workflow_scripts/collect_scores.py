"""Rule collect_scores: the fits of a subject and model as one labelled array."""

from typing import Any

import numpy as np

from brainstruct.encoding.stacking import SCORES, stack_fits
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


def collect_scores(job: Any) -> None:
    """Read the fits, instruction by instruction, and write them stacked."""
    fits = [read_dataset(path, SCORES, ["voxel"]) for path in job.input]
    scores = stack_fits(fits, job.params.instructions, job.params.layers)
    log.info(
        "%d instructions, %d layers, %d voxels, mean r %.4f",
        *(scores.sizes[dim] for dim in ("instruction", "layer", "voxel")),
        float(np.nanmean(scores["r"])),
    )
    write_dataset(
        scores,
        job.output[0],
        provenance=provenance(fits[0]),
        chunks={name: {"instruction": 1, "layer": 1} for name in SCORES},
    )


run_job(collect_scores, globals().get("snakemake"))
