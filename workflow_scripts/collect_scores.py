"""Rule collect_scores: the fits of a subject and model as one labelled array."""

from pathlib import Path

import numpy as np

from brainstruct.encoding.stacking import SCORES, stack_fits
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


@script
def collect_scores(
    *, fits: list[Path], instructions: list[str], layers: list[int], scores: Path
) -> None:
    """Read the fits, instruction by instruction, and write them stacked."""
    parts = [read_dataset(path, SCORES, ["voxel"], without="r_deviation") for path in fits]
    stacked = stack_fits(parts, instructions, layers)
    log.info(
        "%d instructions, %d layers, %d voxels, mean r %.4f",
        *(stacked.sizes[dim] for dim in ("instruction", "layer", "voxel")),
        float(np.nanmean(stacked["r"])),
    )
    write_dataset(
        stacked,
        scores,
        provenance=provenance(parts[0]),
        chunks={name: {"instruction": 1, "layer": 1} for name in SCORES},
    )
