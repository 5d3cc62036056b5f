"""Rule find_winners: winning instruction and layer of every voxel."""

from pathlib import Path

from brainstruct.config.encoding import Alignment
from brainstruct.encoding import alignment as scoring
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


@script
def find_winners(*, scores: Path, ceiling: Path, alignment: Alignment, winners: Path) -> None:
    """Compare the instructions of one model, voxel by voxel."""
    fitted = read_dataset(scores, ["r", "cv_score"], ["instruction", "layer", "voxel"])
    space = read_dataset(ceiling, ["ceiling_ncsnr"], ["voxel"])
    result = scoring.find_winners(
        fitted,
        space[f"ceiling_{alignment.ceiling}"],
        rule=alignment.layers,
        threshold=alignment.ceiling_threshold,
    )
    excluded = int((result["layer"] == scoring.NO_WINNER).sum())
    log.info("%d of %d voxels under the ceiling threshold", excluded, result.sizes["voxel"])
    result = result.assign_attrs(n_excluded=excluded, test_set=fitted.attrs["test_set"])
    origin = provenance(fitted) | {"alignment": alignment.model_dump()}
    write_dataset(result, winners, provenance=origin)
