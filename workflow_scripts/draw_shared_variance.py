"""Rule draw_shared_variance: what pairs of instructions explain together and apart."""

from pathlib import Path
from typing import Any

import pandas as pd

from brainstruct.encoding.regions import WHOLE
from brainstruct.figures.roi_names import family_labels
from brainstruct.figures.shared_variance import draw_shared_variance
from brainstruct.jobs.run import run_job
from brainstruct.store.tables import read_table

VALUES = ("r2_a", "r2_b", "shared", "unique_a", "unique_b")


def shared_variance(job: Any) -> None:
    """Draw all subjects of one model."""
    columns = {f"{name}_of_ceiling": name for name in VALUES}
    parts = [read_table(path, ["subject", "family", "a", "b", *columns]) for path in job.input]
    table = pd.concat(parts, ignore_index=True)
    chosen = table.loc[table["label"] == WHOLE, ["subject", "family", "a", "b", *columns]]
    drawing = draw_shared_variance(
        chosen.rename(columns={"family": "roi", **columns}),
        reference=job.params.reference,
        instructions=job.params.instructions,
        regions=job.params.families,
        region_labels=family_labels(job.params.families),
        title=job.params.title,
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(shared_variance, globals().get("snakemake"))
