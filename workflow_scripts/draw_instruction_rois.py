"""Rule draw_instruction_rois: alignment of every instruction per region."""

from pathlib import Path
from typing import Any

from brainstruct.figures.instruction_rois import draw_instruction_rois
from brainstruct.figures.marks import best_marks
from brainstruct.figures.roi_names import family_labels, single_regions
from brainstruct.jobs.run import run_job
from brainstruct.store.tables import read_table


def instruction_rois(job: Any) -> None:
    """Draw one panel per model that follows instructions."""
    table = read_table(
        job.input.alignment, ["subject", "model", "instruction", "family", "label", "alignment"]
    )
    asked = table["instruction"].isin(job.params.instructions)
    chosen = single_regions(table[asked], job.params.mask)
    # Regions that no subject has would be empty columns: they are named instead.
    known = chosen.groupby("roi", sort=False)["alignment"].transform("count") > 0
    absent = list(dict.fromkeys(chosen.loc[~known, "roi"]))
    chosen = chosen[known]
    marks = None
    if job.input.comparisons:
        comparisons = read_table(job.input.comparisons, ["model", "a", "b", "difference", "q"])
        named = chosen[["family", "label", "roi"]].drop_duplicates()
        marks = best_marks(comparisons).merge(named, on=["family", "label"])
    drawing = draw_instruction_rois(
        chosen.rename(columns={"alignment": "value"})[
            ["subject", "model", "instruction", "roi", "value"]
        ],
        models=[key for key in job.params.labels if key in set(chosen["model"])],
        instructions=job.params.instructions,
        model_labels=job.params.labels,
        roi_labels=family_labels([job.params.mask]),
        marks=marks,
        footnote=f"No subject has {', '.join(absent)}." if absent else "",
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(instruction_rois, globals().get("snakemake"))
