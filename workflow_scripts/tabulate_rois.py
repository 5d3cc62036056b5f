"""Rule tabulate_rois: regional alignment of one subject and model."""

from pathlib import Path

import pandas as pd
import xarray as xr

from brainstruct.brain.ceilings import usable_ceilings
from brainstruct.config.encoding import Alignment
from brainstruct.encoding.alignment import select_layers
from brainstruct.encoding.significance import combine_p, selected_p
from brainstruct.encoding.summary import alignment_table
from brainstruct.jobs.run import script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import write_table

MEAN = "mean"  # instruction key of the mean over a model's instructions


@script
def tabulate_rois(
    *,
    scores: Path,
    ceiling: Path,
    alignment: Alignment,
    mask: str,
    subject: str,
    model: str,
    by_region: Path,
    by_layer: Path,
) -> None:
    """Write one table by instruction and one by instruction and layer."""
    fitted = read_dataset(scores, ["r", "cv_score", "p"], ["instruction", "layer", "voxel"])
    space = read_dataset(ceiling, ["ceiling_ncsnr"], ["voxel"])
    ceilings = usable_ceilings(space, alignment.ceiling_threshold)

    def tabulate(r: xr.DataArray, p: xr.DataArray) -> pd.DataFrame:
        table = alignment_table(
            r,
            p,
            ceilings,
            space,
            preferred=alignment.ceiling,
            mask_name=mask,
        )
        table.insert(0, "test_set", fitted.attrs["test_set"])
        table.insert(0, "model", model)
        table.insert(0, "subject", subject)
        return table

    r = select_layers(fitted, alignment.layers)["r"]
    p = selected_p(fitted, alignment.layers)
    mean = r.mean("instruction").expand_dims(instruction=[MEAN])
    together = combine_p(p, "instruction").expand_dims(instruction=[MEAN])
    whole = tabulate(xr.concat([r, mean], "instruction"), xr.concat([p, together], "instruction"))
    write_table(whole, by_region)
    write_table(tabulate(fitted["r"], fitted["p"]), by_layer)
