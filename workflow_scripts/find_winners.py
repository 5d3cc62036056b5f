"""Rule find_winners: winning instruction and layer of every voxel."""

from typing import Any

from brainstruct.encoding.alignment import NO_WINNER, find_winners
from brainstruct.jobs.run import log, run_job
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


def winners(job: Any) -> None:
    """Compare the instructions of one model, voxel by voxel."""
    options = job.params.alignment
    scores = read_dataset(job.input.scores, ["r", "cv_score"], ["instruction", "layer", "voxel"])
    space = read_dataset(job.input.ceiling, ["ceiling_ncsnr"], ["voxel"])
    result = find_winners(
        scores,
        space[f"ceiling_{options['ceiling']}"],
        rule=options["layers"],
        threshold=options["ceiling_threshold"],
    )
    excluded = int((result["layer"] == NO_WINNER).sum())
    log.info("%d of %d voxels under the ceiling threshold", excluded, result.sizes["voxel"])
    result.attrs["n_excluded"] = excluded
    write_dataset(
        result, job.output[0], provenance=provenance(scores) | {"alignment": dict(options)}
    )


run_job(winners, globals().get("snakemake"))
