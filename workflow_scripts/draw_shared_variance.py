"""Rule draw_shared_variance: what pairs of instructions explain together and apart."""

from pathlib import Path

import pandas as pd

from brainstruct.encoding.regions import WHOLE
from brainstruct.figures import shared_variance
from brainstruct.figures.roi_names import family_labels
from brainstruct.figures.style import instruction_colours
from brainstruct.jobs.run import script
from brainstruct.store.tables import read_table

VALUES = ("r2_a", "r2_b", "shared", "unique_a", "unique_b")


@script
def draw_shared_variance(
    *,
    tables: list[Path],
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
    shared_variance.draw_shared_variance(
        chosen.rename(columns={"family": "roi", **columns}),
        reference=reference,
        colours=instruction_colours(instructions),
        regions=family_labels(families),
        title=title,
    ).save(svg, png, table)
