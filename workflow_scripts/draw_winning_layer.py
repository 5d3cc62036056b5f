"""Rule draw_winning_layer: which layer suits each voxel best, on a flatmap."""

from pathlib import Path

from brainstruct.figures import winning_layer as maps
from brainstruct.figures.voxels import open_stage, placed
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset


@script
def draw_winning_layer(
    *,
    winners: Path,
    ceiling: Path,
    store: Path,
    n_layers: int,
    title: str,
    subject: str,
    svg: Path,
    png: Path,
    table: Path,
) -> None:
    """Draw one subject and model."""
    found = read_dataset(winners, ["layer", "layer_low", "layer_high"], ["voxel"])
    space = read_dataset(ceiling, ["roi_label"], ["voxel"])
    names = ("layer", "layer_low", "layer_high")
    layers = [placed(found[name].where(found[name] >= 0), space) for name in names]
    maps.draw_winning_layer(
        open_stage(store, subject, space, title), *layers, n_layers=n_layers
    ).save(svg, png, table)
