"""Rule draw_noise_ceiling: how well each voxel could be predicted at best, subject by subject."""

from pathlib import Path
from typing import Any

from brainstruct.figures.noise_ceiling import draw_noise_ceiling
from brainstruct.figures.voxels import open_stage, placed
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset


def noise_ceiling(job: Any) -> None:
    """Draw every kind of ceiling of every subject."""
    stages, ceilings = {}, {}
    for (subject, names), path in zip(job.params.flatmaps.items(), job.input.spaces, strict=True):
        space = read_dataset(path, ["roi_label", "ceiling_ncsnr"], ["voxel"])
        stages[subject] = open_stage(job.input.store, names, space)
        ceilings[subject] = {
            str(name).removeprefix("ceiling_"): placed(space[name], space)
            for name in space.data_vars
            if str(name).startswith("ceiling_")
        }
    drawing = draw_noise_ceiling(stages, ceilings, threshold=job.params.threshold)
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(noise_ceiling, globals().get("snakemake"))
