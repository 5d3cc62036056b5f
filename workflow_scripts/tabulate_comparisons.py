"""Rules tabulate_comparisons_*: regional comparisons of all subjects, and what they can show."""

from pathlib import Path

import pandas as pd

from brainstruct.encoding.subjects import comparison_notes, comparison_table
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.files import write_text
from brainstruct.store.tables import labelled, write_table


@script
def tabulate_comparisons(
    *, comparisons: list[Path], subjects: list[str], compared: list[str], table: Path, notes: Path
) -> None:
    """Write the table of every model (or of all together), and the notes that belong to it."""
    parts, n_draws = [], 0
    n_images: set[int] = set()
    # One file per subject for every entry of `compared`, subject by subject.
    for row, model in enumerate(compared):
        paths = comparisons[row * len(subjects) : (row + 1) * len(subjects)]
        one_model = {
            subject: read_dataset(path, ["region_draws"], ["comparison", "region"])
            for subject, path in zip(subjects, paths, strict=True)
        }
        parts.append(labelled(comparison_table(one_model), model=model))
        n_images |= {int(one.attrs["n_images"]) for one in one_model.values()}
        n_draws = int(next(iter(one_model.values())).attrs["n_draws"])
    write_table(pd.concat(parts, ignore_index=True), table)
    write_text(comparison_notes(len(subjects), n_images, n_draws), notes)
