"""Rule find_best_models: the model that suits each voxel best, and how sure that is."""

from pathlib import Path

from brainstruct.encoding.rivals import judge_models
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import provenance, read_dataset, write_dataset


@script
def find_best_models(
    *, winners: list[Path], comparison: Path, models: list[str], best_models: Path
) -> None:
    """Compare all models of one subject, voxel by voxel."""
    needed = ["cv_score", "p_mean", "layer"]
    compared = read_dataset(comparison, ["difference", "p"], ["comparison", "voxel"])
    raced = [read_dataset(path, needed, ["voxel"]) for path in winners]
    found = judge_models(dict(zip(models, raced, strict=True)), compared)
    log.info("%d clear winners", int(found["clear"].sum()))
    found = found.assign_attrs(test_set=compared.attrs["test_set"])
    write_dataset(found, best_models, provenance=provenance(compared))
