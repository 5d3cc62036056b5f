"""Rule tabulate_partition: shared and unique variance per region, and the matrix of pairs."""

from pathlib import Path

from brainstruct.brain.ceilings import usable_ceiling
from brainstruct.config.encoding import Divisor
from brainstruct.encoding.shares import partition_table, shared_matrix
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import labelled, write_table


@script
def tabulate_partition(
    *,
    partition: Path,
    ceiling: Path,
    divisor: Divisor,
    mask: str,
    subject: str,
    model: str,
    table: Path,
    matrix: Path,
) -> None:
    """Write a row per region and pair, and the whole mask's shared variance as a matrix."""
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    stored = read_dataset(partition, ["shared"], ["pair", "voxel"])
    regions = partition_table(
        stored,
        space,
        usable_ceiling(space, divisor.ceiling, divisor.ceiling_threshold),
        mask,
    )
    whole = regions[(regions["family"] == mask) & (regions["label"] == "all")]
    write_table(shared_matrix(whole).reset_index(), matrix)
    test_set = stored.attrs["test_set"]
    write_table(labelled(regions, subject=subject, model=model, test_set=test_set), table)
