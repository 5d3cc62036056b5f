"""Rule draw_noise_ceiling: how well each voxel could be predicted at best, subject by subject."""

from pathlib import Path

from brainstruct.brain.ceilings import Threshold, usable_ceilings
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
    threshold: Threshold,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw every kind of ceiling of every subject."""
    stages, found, usable = {}, {}, {}
    for subject, path in zip(subjects, ceilings, strict=True):
        space = read_dataset(path, ["roi_label", "ceiling_ncsnr"], ["voxel"])
        stages[subject] = open_stage(store, subject, space)
        usable[subject] = usable_ceilings(space, threshold)
        found[subject] = {
            kind: placed(values, space)
            for kind in usable[subject]
            if (values := space[f"ceiling_{kind}"]).notnull().any()
        }
    noise_ceiling.draw_noise_ceiling(stages, found, usable).save(svg, png, table)
