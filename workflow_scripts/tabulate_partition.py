"""Rule tabulate_partition: shared and unique variance per region, and the matrix of pairs."""

from typing import Any

from brainstruct.encoding.partition import partition_table, shared_matrix
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import write_table


def tabulate_partition(job: Any) -> None:
    """Write a row per region and pair, and the whole mask's shared variance as a matrix."""
    options = job.params.alignment
    partitions = read_dataset(job.input.partition, ["shared"], ["pair", "voxel"])
    space = read_dataset(job.input.ceiling, ["roi_label"], ["voxel"])
    table = partition_table(
        partitions,
        space,
        space[f"ceiling_{options['ceiling']}"],
        options["ceiling_threshold"],
        job.params.mask,
    )
    whole = table[(table["family"] == job.params.mask) & (table["label"] == "all")]
    write_table(shared_matrix(whole).reset_index(), job.output.matrix)
    table.insert(0, "model", job.wildcards.model)
    table.insert(0, "subject", job.wildcards.subject)
    write_table(table, job.output.table)


run_job(tabulate_partition, globals().get("snakemake"))
