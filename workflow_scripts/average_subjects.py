"""Rule average_subjects: regional alignment, mean and standard error over subjects."""

from pathlib import Path

from brainstruct.encoding.subjects import subject_means
from brainstruct.jobs.run import run_job
from brainstruct.store.tables import read_table, write_table


def average_subjects(*, alignment_table: Path, table: Path) -> None:
    """Average every column of scores."""
    regions = read_table(alignment_table, ["subject", "r", "alignment"])
    scores = [name for name in regions.columns if name.startswith(("r_", "alignment_", "share_"))]
    write_table(subject_means(regions, ["r", "alignment", "voxel_alignment", *scores]), table)


run_job(average_subjects, globals().get("snakemake"))
