"""Rule draw_roi_bars: alignment of every model per ROI family."""

from pathlib import Path
from typing import Any

from brainstruct.figures.bars import draw_roi_bars
from brainstruct.figures.roi_names import family_labels
from brainstruct.jobs import run_job
from brainstruct.store import read_table


def roi_bars(job: Any) -> None:
    """Draw the mean over instructions, subject by subject."""
    table = read_table(job.input[0], ["subject", "model", "instruction", "family", "alignment"])
    chosen = table[(table["label"] == "all") & (table["instruction"] == "mean")]
    drawing = draw_roi_bars(
        chosen.rename(columns={"family": "roi", "alignment": "value"})[
            ["subject", "model", "roi", "value"]
        ],
        rois=job.params.families,
        models=list(job.params.labels),
        roi_labels=family_labels(job.params.families),
        model_labels=job.params.labels,
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(roi_bars, globals().get("snakemake"))
