"""Rule compare_models: one subject's encoding models of different models, compared."""

from typing import Any

from brainstruct.encoding.comparison import ComparisonOptions, compare_groups
from brainstruct.encoding.regions import regions
from brainstruct.jobs.run import log, run_job
from brainstruct.nsd.prepared import images_tested, read_betas
from brainstruct.store.arrays import open_dataset, read_dataset, write_dataset


def compare_models(job: Any) -> None:
    """Average each model's scores over its instructions; compare the pairs asked for."""
    options = job.params.alignment
    space = read_dataset(job.input.ceiling, ["roi_label"], ["voxel"])
    truth = read_betas(job.input.responses, images_tested(job.input.responses))
    members = [
        open_dataset(path, ["prediction"], ["nsd_id", "voxel"])["prediction"]
        for path in job.input.predictions
    ]
    waiting = iter(members)
    groups = {
        name: [next(waiting) for _ in instructions]
        for name, instructions in job.params.groups.items()
    }
    result = compare_groups(
        truth,
        groups,
        [tuple(pair) for pair in job.params.pairs],
        space[f"ceiling_{options['ceiling']}"],
        list(regions(space, job.params.mask)),
        threshold=options["ceiling_threshold"],
        options=ComparisonOptions(**job.params.statistics),
    )
    whole = result["region_draws"].sel(measure="alignment").isel(region=0)
    for name in result["comparison"].values:
        log.info("%s: %.4f (se %.4f)", name,
                 float((result["region_a"] - result["region_b"]).sel(
                     measure="alignment", comparison=name).isel(region=0)),
                 float(whole.sel(comparison=name).std()))  # fmt: skip
    origin = {
        "alignment": dict(options),
        "statistics": dict(job.params.statistics),
        "groups": {name: list(keys) for name, keys in job.params.groups.items()},
        "code": job.params.code,
    }
    write_dataset(result, job.output[0], provenance=origin)


run_job(compare_models, globals().get("snakemake"))
