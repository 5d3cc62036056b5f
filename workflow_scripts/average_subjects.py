"""Rule average_subjects: regional alignment, mean and standard error over subjects."""

from typing import Any

from brainstruct.encoding.subjects import subject_means
from brainstruct.jobs.run import run_job
from brainstruct.store.tables import read_table, write_table


def average_subjects(job: Any) -> None:
    """Average every column of scores."""
    table = read_table(job.input[0], ["subject", "r", "alignment"])
    scores = [name for name in table.columns if name.startswith(("r_", "alignment_", "share_"))]
    write_table(subject_means(table, ["r", "alignment", *scores]), job.output[0])


run_job(average_subjects, globals().get("snakemake"))
