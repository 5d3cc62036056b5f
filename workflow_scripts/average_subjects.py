"""Rule average_subjects: regional alignment, mean over subjects and how sure it is."""

from pathlib import Path

from brainstruct.encoding.subjects import INTERVAL, model_intervals, subject_means
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
    dims = ["instruction", "region"]
    stored = [read_dataset(path, ["region_draws"], dims, only=True) for path in uncertainties]
    draws, confidence = [one["region_draws"] for one in stored], stored[0].attrs["confidence"]
    intervals = model_intervals(subject_models, draws, confidence)
    write_table(means.merge(intervals, how="left", validate="1:1"), table)
