"""Rule tabulate_comparisons: regional comparisons of all subjects, and what they can show."""

from pathlib import Path
from typing import Any

import pandas as pd

from brainstruct.encoding.subjects import comparison_notes, comparison_table
from brainstruct.jobs.run import run_job
from brainstruct.store.arrays import read_dataset
from brainstruct.store.files import write_text
from brainstruct.store.tables import write_table


def tabulate_comparisons(job: Any) -> None:
    """Write the table of every model (or of all together), and the notes that belong to it."""
    subjects = job.params.subjects
    parts, n_draws = [], 0
    n_images: set[int] = set()
    # One file per subject for every entry of `models`, subject by subject.
    for row, model in enumerate(job.params.models):
        paths = job.input[row * len(subjects) : (row + 1) * len(subjects)]
        comparisons = {
            subject: read_dataset(path, ["region_draws"], ["comparison", "region"])
            for subject, path in zip(subjects, paths, strict=True)
        }
        table = comparison_table(comparisons)
        table.insert(0, "model", model)
        parts.append(table)
        n_images |= {int(one.attrs["n_images"]) for one in comparisons.values()}
        n_draws = int(next(iter(comparisons.values())).attrs["n_draws"])
    write_table(pd.concat(parts, ignore_index=True), job.output.table)
    write_text(comparison_notes(len(subjects), n_images, n_draws), Path(job.output.notes))


run_job(tabulate_comparisons, globals().get("snakemake"))
