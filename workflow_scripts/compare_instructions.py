"""Rule compare_instructions: one subject's and model's instructions, compared in pairs."""

from itertools import combinations
from typing import Any

from brainstruct.encoding.comparison import ComparisonOptions, compare_groups
from brainstruct.encoding.regions import regions
from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.prepared import images_tested, read_betas
from brainstruct.store.arrays import open_dataset, read_dataset, write_dataset


def compare_instructions(job: Any) -> None:
    """Compare every pair of instructions."""
    options = job.params.alignment
    space = read_dataset(job.input.ceiling, ["roi_label"], ["voxel"])
    truth = read_betas(job.input.responses, images_tested(job.input.responses))
    groups = {
        name: [open_dataset(path, ["prediction"], ["nsd_id", "voxel"])["prediction"]]
        for name, path in zip(job.params.instructions, job.input.predictions, strict=True)
    }
    pairs = list(combinations(groups, 2))
    result = compare_groups(
        truth,
        groups,
        pairs,
        space[f"ceiling_{options['ceiling']}"],
        list(regions(space, job.params.mask)),
        threshold=options["ceiling_threshold"],
        options=ComparisonOptions(**job.params.statistics),
    )
    log.info("%d pairs, %.1f %% of voxels with q <= 0.05",
             len(pairs), 100 * float((result["q"] <= 0.05).mean()))  # fmt: skip
    origin = {
        "alignment": dict(options),
        "statistics": dict(job.params.statistics),
        "code": job.params.code,
    }
    write_dataset(result, job.output[0], provenance=origin)


run_job(compare_instructions, globals().get("snakemake"))
