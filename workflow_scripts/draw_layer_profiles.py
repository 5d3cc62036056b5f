"""Rule draw_layer_profiles: alignment by layer, per ROI family and model."""

from pathlib import Path

from brainstruct.encoding.subjects import model_intervals
from brainstruct.encoding.uncertainty import MEAN
from brainstruct.figures import layer_profiles
from brainstruct.figures.roi_names import family_labels
from brainstruct.figures.style import model_colours
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import read_table

NAMES = {"family": "roi", "alignment_ci_low": "low", "alignment_ci_high": "high"}


@script
def draw_layer_profiles(
    *,
    layer_table: Path,
    uncertainties: list[Path],
    subject_models: list[tuple[str, str]],
    labels: dict[str, str],
    hidden_states: dict[str, int],
    families: list[str],
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw the mean over instructions, subjects as a band."""
    scores = read_table(layer_table, ["subject", "model", "layer", "family", "alignment"])
    chosen = scores[scores["label"] == "all"].rename(columns={"family": "roi"})
    by_layer = (
        chosen.groupby(["subject", "model", "roi", "layer"], sort=False)["alignment"]
        .mean()
        .rename("value")
        .reset_index()
    )
    stored = [read_dataset(path, ["layer_draws"], ["layer"], only=True) for path in uncertainties]
    draws = [one["layer_draws"].sel(instruction=[MEAN]).rename(layer_draw="draw") for one in stored]
    intervals = model_intervals(subject_models, draws, stored[0].attrs["confidence"])
    layer_profiles.draw_layer_profiles(
        by_layer,
        intervals[intervals["label"] == "all"].rename(columns=NAMES),
        rois=family_labels(families),
        models=labels,
        colours=model_colours(list(labels)),
        n_layers=hidden_states,
    ).save(svg, png, table)
