"""Rule draw_roi_bars: alignment of every model per ROI family."""

from pathlib import Path
from typing import Any

from brainstruct.figures.marks import LEVEL, baseline_marks, present_marks
from brainstruct.figures.roi_bars import draw_roi_bars
from brainstruct.figures.roi_names import family_labels
from brainstruct.jobs.run import run_job
from brainstruct.store.tables import read_table


def roi_bars(job: Any) -> None:
    """Draw the mean over instructions, subject by subject."""
    table = read_table(
        job.input.alignment, ["subject", "model", "instruction", "family", "alignment"]
    )
    chosen = table[(table["label"] == "all") & (table["instruction"] == "mean")]
    marks = None
    if job.input.comparisons:
        comparisons = read_table(job.input.comparisons, ["subject", "a", "b", "difference", "q"])
        meanings = {
            sign: f"better than {baseline['label']} (q ≤ {LEVEL:g})"
            for sign, baseline in job.params.baselines.items()
        }
        marks = baseline_marks(
            comparisons, {sign: one["models"] for sign, one in job.params.baselines.items()}
        )
        marks = marks[marks["label"] == "all"].rename(columns={"family": "roi"})
    drawing = draw_roi_bars(
        chosen.rename(columns={"family": "roi", "alignment": "value"})[
            ["subject", "model", "roi", "value"]
        ],
        rois=job.params.families,
        models=list(job.params.labels),
        roi_labels=family_labels(job.params.families),
        model_labels=job.params.labels,
        marks=marks,
        meanings=None if marks is None else present_marks(marks, meanings),
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(roi_bars, globals().get("snakemake"))
