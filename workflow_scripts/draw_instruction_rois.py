"""Rule draw_instruction_rois: alignment of every instruction per region."""

from pathlib import Path
from typing import Any

from brainstruct.figures.heatmap import draw_instruction_rois
from brainstruct.figures.roi_names import family_labels
from brainstruct.jobs import run_job
from brainstruct.store import read_table


def instruction_rois(job: Any) -> None:
    """Draw one panel per model that follows instructions."""
    table = read_table(job.input[0], ["subject", "model", "instruction", "label", "alignment"])
    instructions = job.params.instructions
    chosen = table[table["instruction"].isin(instructions)].copy()
    whole = chosen["label"] == "all"
    chosen["roi"] = chosen["label"].where(~whole, chosen["family"])
    chosen = chosen[(chosen["label"] != "all") | (chosen["family"] == job.params.mask)]
    # Regions that no subject has would be empty columns; the table of all regions keeps them.
    chosen = chosen[
        chosen.groupby("roi")["alignment"].transform(lambda column: column.notna().any())
    ]
    models = [key for key in job.params.labels if key in set(chosen["model"])]
    drawing = draw_instruction_rois(
        chosen.rename(columns={"alignment": "value"})[
            ["subject", "model", "instruction", "roi", "value"]
        ],
        models=models,
        instructions=instructions,
        model_labels=job.params.labels,
        roi_labels=family_labels([job.params.mask]),
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(instruction_rois, globals().get("snakemake"))
