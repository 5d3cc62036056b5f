"""Rule average_subjects: regional alignment, mean over subjects and how sure it is."""

from pathlib import Path

import pandas as pd

from brainstruct.encoding.subjects import INTERVAL, interval_table, subject_means
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import read_table, write_table


@script
def average_subjects(
    *,
    alignment_table: Path,
    uncertainties: list[Path],
    subject_models: list[tuple[str, str]],
    table: Path,
) -> None:
    """Average every column of scores, and bootstrap the mean alignment of every model."""
    regions = read_table(alignment_table, ["subject", "r", "alignment"]).drop(columns=[*INTERVAL])
    scores = [name for name in regions.columns if name.startswith(("r_", "alignment_", "share_"))]
    means = subject_means(regions, ["r", "alignment", "voxel_alignment", *scores])
    parts = []
    for model in dict.fromkeys(model for _, model in subject_models):
        stored = {
            subject: read_dataset(path, ["region_draws"], ["instruction", "region"], only=True)
            for (subject, other), path in zip(subject_models, uncertainties, strict=True)
            if other == model
        }
        draws = {subject: one["region_draws"] for subject, one in stored.items()}
        confidence = next(iter(stored.values())).attrs["confidence"]
        parts.append(interval_table(draws, confidence).assign(model=model))
    whole = means.merge(pd.concat(parts), how="left", validate="1:1")
    write_table(whole, table)
