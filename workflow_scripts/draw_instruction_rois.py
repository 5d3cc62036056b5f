"""Rule draw_instruction_rois: alignment of every instruction per region."""

from pathlib import Path

from brainstruct.figures import instruction_rois
from brainstruct.figures.marks import best_marks
from brainstruct.figures.roi_names import family_labels, single_regions
from brainstruct.jobs.run import script
from brainstruct.store.tables import read_table


@script
def draw_instruction_rois(
    *,
    alignment_table: Path,
    comparison_table: Path | None,
    labels: dict[str, str],
    instructions: list[str],
    mask: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw one panel per model that follows instructions."""
    scores = read_table(
        alignment_table, ["subject", "model", "instruction", "family", "label", "alignment"]
    )
    chosen = single_regions(scores[scores["instruction"].isin(instructions)], mask)
    # Regions that no subject has would be empty columns: they are named instead.
    known = chosen.groupby("roi", sort=False)["alignment"].transform("count") > 0
    absent = list(dict.fromkeys(chosen.loc[~known, "roi"]))
    chosen = chosen[known]
    whole = family_labels([mask])
    marks = None
    if comparison_table is not None:
        compared = read_table(comparison_table, ["model", "a", "b", "difference", "q"])
        named = chosen[["family", "label", "roi"]].drop_duplicates()
        marks = best_marks(compared).merge(named, on=["family", "label"])
    instruction_rois.draw_instruction_rois(
        chosen.rename(columns={"alignment": "value"})[
            ["subject", "model", "instruction", "roi", "value"]
        ],
        models={key: label for key, label in labels.items() if key in set(chosen["model"])},
        instructions=instructions,
        rois={roi: whole.get(roi, roi) for roi in chosen["roi"].unique()},
        marks=marks,
        footnote=f"No subject has {', '.join(absent)}." if absent else "",
    ).save(svg, png, table)
