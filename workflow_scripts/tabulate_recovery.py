"""Rule tabulate_recovery: share of planted voxels whose feature space was found back."""

from typing import Any

import pandas as pd

from brainstruct.encoding.recovery import match_voxels, recovery_table
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import write_table


def tabulate_recovery(job: Any) -> None:
    """Write one row per subject, model and region."""
    parts = []
    sources = zip(
        job.params.pairs, job.input.winners, job.input.spaces, job.input.truths, strict=True
    )
    for (subject, model), winners, space, truth in sources:
        planted = match_voxels(
            read_dataset(
                truth,
                ["planted_model", "planted_instruction", "planted_layer", "region"],
                ["voxel"],
            ),
            read_dataset(space, ["i", "j", "k"], ["voxel"]),
        )
        table = recovery_table(read_dataset(winners, ["instruction_index"]), planted, model)
        table.insert(0, "model", model)
        table.insert(0, "subject", subject)
        for row in table[table["roi"] == "all"].itertuples():
            log.info(
                "%s, %s: instruction found in %.1f %% of %d reliable planted voxels, "
                "layer (or its neighbour) in %.1f %% of those",
                subject,
                model,
                100 * row.instruction_found,
                row.n_reliable,
                100 * row.layer_found,
            )
        parts.append(table)
    write_table(pd.concat(parts, ignore_index=True), job.output[0])


run_job(tabulate_recovery, globals().get("snakemake"))
