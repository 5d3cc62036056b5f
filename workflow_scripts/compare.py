"""Rules compare_models and compare_instructions: one subject's feature spaces, in pairs."""

from pathlib import Path

from brainstruct.config.encoding import Divisor
from brainstruct.datasets.prepared import images_tested, read_betas
from brainstruct.encoding.comparison import ComparisonOptions, compare_groups
from brainstruct.encoding.regions import regions
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import open_dataset, read_dataset, write_dataset


@script
def compare(
    *,
    responses: Path,
    ceiling: Path,
    predictions: list[Path],
    groups: dict[str, list[str]],
    pairs: list[tuple[str, str]],
    divisor: Divisor,
    statistics: ComparisonOptions,
    mask: str,
    code: str,
    comparison: Path,
) -> None:
    """Average scores within groups of feature spaces; compare pairs of groups."""
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    tested = images_tested(responses)
    truth = read_betas(responses, tested.images)
    # One file for every member of every group, group by group.
    waiting = iter(predictions)
    members = {
        name: [
            open_dataset(next(waiting), ["prediction"], ["stimulus", "voxel"])["prediction"]
            for _ in group
        ]
        for name, group in groups.items()
    }
    result = compare_groups(
        truth,
        members,
        pairs,
        space[f"ceiling_{divisor.ceiling}"],
        list(regions(space, mask)),
        threshold=divisor.ceiling_threshold,
        options=statistics,
    )
    whole = result.sel(measure="alignment").isel(region=0)
    for name in result["comparison"].values:
        one = whole.sel(comparison=name)
        difference = float(one["region_a"] - one["region_b"])
        log.info("%s: %.4f (se %.4f)", name, difference, float(one["region_draws"].std()))
    share = 100 * float((result["q"] <= 0.05).mean())
    log.info("%d pairs, %.1f %% of voxels with q <= 0.05", len(pairs), share)
    origin = {
        "alignment": divisor.model_dump(),
        "statistics": {"n_draws": statistics.n_draws, "seed": statistics.seed},
        "groups": groups,
        "code": code,
    }
    result = result.assign_attrs(test_set=tested.test_set)
    write_dataset(result, comparison, provenance=origin)
