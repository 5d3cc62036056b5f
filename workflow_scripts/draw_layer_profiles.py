"""Rule draw_layer_profiles: alignment by layer, per ROI family and model."""

from pathlib import Path
from typing import Any

from brainstruct.figures.layer_profiles import draw_layer_profiles
from brainstruct.figures.roi_names import family_labels
from brainstruct.jobs.run import run_job
from brainstruct.store.tables import read_table


def layer_profiles(job: Any) -> None:
    """Draw the mean over instructions, subjects as a band."""
    table = read_table(job.input[0], ["subject", "model", "layer", "family", "alignment"])
    chosen = table[table["label"] == "all"].rename(columns={"family": "roi"})
    by_layer = (
        chosen.groupby(["subject", "model", "roi", "layer"], sort=False)["alignment"]
        .mean()
        .rename("value")
        .reset_index()
    )
    drawing = draw_layer_profiles(
        by_layer,
        panel_order=job.params.families,
        line_order=list(job.params.labels),
        panel_labels=family_labels(job.params.families),
        line_labels=job.params.labels,
        n_layers=job.params.n_layers,
    )
    drawing.save(Path(job.output.svg).with_suffix(""))


run_job(layer_profiles, globals().get("snakemake"))
