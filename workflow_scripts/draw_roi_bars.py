"""Rule draw_roi_bars: alignment of every model per ROI family."""

from pathlib import Path

from brainstruct.figures import roi_bars
from brainstruct.figures.marks import LEVEL, Baseline, baseline_marks, present_marks
from brainstruct.figures.roi_names import family_labels
from brainstruct.figures.style import model_colours
from brainstruct.jobs.run import script
from brainstruct.store.tables import read_table


@script
def draw_roi_bars(
    *,
    alignment_table: Path,
    means_table: Path,
    comparison_table: Path | None,
    labels: dict[str, str],
    families: list[str],
    baselines: dict[str, Baseline],
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw the mean over instructions, subject by subject, and of all subjects."""
    names = {"family": "roi", "alignment": "value"}
    names |= {"alignment_ci_low": "low", "alignment_ci_high": "high"}
    chosen, means = (
        read_table(path, ["model", "instruction", "family", "alignment_ci_low"])
        .query("label == 'all' and instruction == 'mean'")
        .rename(columns=names)
        for path in (alignment_table, means_table)
    )
    marks, meanings = None, None
    if comparison_table is not None:
        compared = read_table(comparison_table, ["subject", "a", "b", "difference", "q"])
        marks = baseline_marks(compared, {sign: one.models for sign, one in baselines.items()})
        marks = marks[marks["label"] == "all"].rename(columns={"family": "roi"})
        said = {sign: f"better than {one.label} (q ≤ {LEVEL:g})" for sign, one in baselines.items()}
        meanings = present_marks(marks, said)
    roi_bars.draw_roi_bars(
        chosen[["subject", "model", "roi", "value", "low", "high"]],
        means[["model", "roi", "low", "high"]],
        rois=family_labels(families),
        models=labels,
        colours=model_colours(list(labels)),
        marks=marks,
        meanings=meanings,
    ).save(svg, png, table)
