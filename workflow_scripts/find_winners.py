"""Rule find_winners: winning instruction and layer of every voxel, and how sure they are."""

from pathlib import Path

from brainstruct.brain.ceilings import usable_ceiling
from brainstruct.config.encoding import Alignment
from brainstruct.encoding import alignment as scoring
from brainstruct.encoding.rivals import judge_winners
from brainstruct.encoding.stacking import with_intervals
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


@script
def find_winners(
    *,
    scores: Path,
    ceiling: Path,
    comparison: Path | None,
    uncertainty: Path,
    alignment: Alignment,
    winners: Path,
) -> None:
    """Compare the instructions of one model, voxel by voxel."""
    fitted = read_dataset(scores, ["r", "cv_score", "layer_low"], ["instruction", "layer", "voxel"])
    space = read_dataset(ceiling, ["ceiling_ncsnr"], ["voxel"])
    usable = usable_ceiling(space, alignment.ceiling, alignment.ceiling_threshold)
    result = scoring.find_winners(fitted, usable, rule=alignment.layers)
    compared = (
        read_dataset(comparison, ["difference", "p"], ["comparison", "voxel"])
        if comparison
        else None
    )
    chance = read_dataset(uncertainty, ["p"], ["instruction", "voxel"])["p"]
    result = judge_winners(result, fitted, compared, chance, alignment.layers)
    result = with_intervals(result, fitted)
    log.info("%d clear winners", int(result["clear"].sum()))
    excluded = int((result["layer"] == scoring.NO_WINNER).sum())
    log.info("%d of %d voxels under the ceiling threshold", excluded, result.sizes["voxel"])
    result = result.assign_attrs(
        n_excluded=excluded,
        ceiling_threshold=usable.attrs["threshold"],
        test_set=fitted.attrs["test_set"],
    )
    origin = provenance(fitted) | {"alignment": alignment.model_dump()}
    write_dataset(result, winners, provenance=origin)
