"""Rule draw_shared_variance: what pairs of instructions explain together and apart."""

from pathlib import Path

import pandas as pd

from brainstruct.encoding.regions import WHOLE
from brainstruct.encoding.subjects import interval_table
from brainstruct.figures import shared_variance
from brainstruct.figures.roi_names import family_labels
from brainstruct.figures.style import instruction_colours
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import read_table

VALUES = ("r2_a", "r2_b", "shared", "unique_a", "unique_b")


@script
def draw_shared_variance(
    *,
    tables: list[Path],
    partitions: list[Path],
    subjects: list[str],
    reference: str,
    instructions: list[str],
    families: list[str],
    title: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw all subjects of one model."""
    columns = {f"{name}_of_ceiling": name for name in VALUES}
    parts = [read_table(path, ["subject", "family", "a", "b", *columns]) for path in tables]
    whole = pd.concat(parts, ignore_index=True)
    chosen = whole.loc[whole["label"] == WHOLE, ["subject", "family", "a", "b", *columns]]
    stored = [read_dataset(path, ["region_draws"], ["part"], only=True) for path in partitions]
    draws = {name: one["region_draws"] for name, one in zip(subjects, stored, strict=True)}
    groups = {name: {name: one} for name, one in draws.items()} | {shared_variance.MEAN: draws}
    sure = pd.concat(
        interval_table(one, stored[0].attrs["confidence"]).assign(subject=name)
        for name, one in groups.items()
    )
    names = {"family": "roi", "alignment_ci_low": "low", "alignment_ci_high": "high"}
    shared_variance.draw_shared_variance(
        chosen.rename(columns={"family": "roi", **columns}),
        sure[sure["label"] == WHOLE].rename(columns=names),
        reference=reference,
        colours=instruction_colours(instructions),
        regions=family_labels(families),
        title=title,
    ).save(svg, png, table)
