"""Rule tabulate_recovery: share of planted voxels whose feature space was found back."""

from pathlib import Path

import pandas as pd

from brainstruct.encoding.recovery import match_voxels, recovery_table
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import labelled, write_table

PLANTED = ("planted_model", "planted_instruction", "planted_layer", "region")


@script
def tabulate_recovery(
    *,
    winners: list[Path],
    ceilings: list[Path],
    truths: list[Path],
    subject_models: list[tuple[str, str]],
    table: Path,
) -> None:
    """Write one row per subject, model and region."""
    parts = []
    for (subject, model), found, space, truth in zip(
        subject_models, winners, ceilings, truths, strict=True
    ):
        planted = match_voxels(
            read_dataset(truth, PLANTED, ["voxel"]), read_dataset(space, ["i", "j", "k"], ["voxel"])
        )
        part = recovery_table(read_dataset(found, ["instruction_index"]), planted, model)
        for row in part[part["roi"] == "all"].itertuples():
            log.info(
                "%s, %s: instruction found in %.1f %% of %d reliable planted voxels, "
                "layer (or its neighbour) in %.1f %% of those",
                subject,
                model,
                100 * row.instruction_found,
                row.n_reliable,
                100 * row.layer_found,
            )
        parts.append(labelled(part, subject=subject, model=model))
    write_table(pd.concat(parts, ignore_index=True), table)
