"""Rule draw_noise_ceiling: how well each voxel could be predicted at best, subject by subject."""

from pathlib import Path

from brainstruct.brain.ceilings import ceilings_by_kind
from brainstruct.figures import noise_ceiling
from brainstruct.figures.voxels import open_stage, placed
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_noise_ceiling(
    *,
    ceilings: list[Path],
    store: Path,
    subjects: list[str],
    threshold: float,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw every kind of ceiling of every subject."""
    stages, found = {}, {}
    for subject, path in zip(subjects, ceilings, strict=True):
        space = read_dataset(path, ["roi_label", "ceiling_ncsnr"], ["voxel"])
        stages[subject] = open_stage(store, subject, space)
        kinds = ceilings_by_kind(space)
        found[subject] = {kind: placed(values, space) for kind, values in kinds.items()}
    noise_ceiling.draw_noise_ceiling(stages, found, threshold=threshold).save(svg, png, table)
