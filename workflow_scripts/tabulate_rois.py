"""Rule tabulate_rois: regional alignment of one subject and model."""

from pathlib import Path

import pandas as pd
import xarray as xr

from brainstruct.brain.ceilings import usable_ceilings
from brainstruct.config.encoding import Alignment
from brainstruct.encoding.alignment import select_layers
from brainstruct.encoding.significance import Control, alignment_table, least_discoveries
from brainstruct.encoding.subjects import interval_table
from brainstruct.encoding.uncertainty import MEAN
from brainstruct.jobs.run import log, script
from brainstruct.store.arrays import read_dataset
from brainstruct.store.tables import labelled, write_table


@script
def tabulate_rois(
    *,
    scores: Path,
    ceiling: Path,
    uncertainty: Path,
    alignment: Alignment,
    control: Control,
    mask: str,
    subject: str,
    model: str,
    by_region: Path,
    by_layer: Path,
) -> None:
    """Write one table by instruction and one by instruction and layer."""
    fitted = read_dataset(
        scores, ["r", "cv_score", "p", "p_fwe"], ["instruction", "layer", "voxel"]
    )
    space = read_dataset(ceiling, ["ceiling_ncsnr"], ["voxel"])
    ceilings = usable_ceilings(space, alignment.ceiling_threshold)

    def tabulate(r: xr.DataArray, chance: xr.Dataset) -> pd.DataFrame:
        table = alignment_table(
            r,
            chance,
            ceilings,
            space,
            preferred=alignment.ceiling,
            mask_name=mask,
            control=control,
        )
        test_set = fitted.attrs["test_set"]
        return labelled(table, subject=subject, model=model, test_set=test_set)

    r = select_layers(fitted, alignment.layers)["r"]
    mean = r.mean("instruction").expand_dims(instruction=[MEAN])
    draws = ["region_draws", "layer_draws"]
    sure = read_dataset(uncertainty, ["p", "p_fwe", *draws], ["instruction", "voxel"])
    whole = tabulate(xr.concat([r, mean], "instruction"), sure)
    by_draws = [sure[name].rename({sure[name].dims[-1]: "draw"}) for name in draws]
    for scored, drawn, path in zip(
        (whole, tabulate(fitted["r"], fitted)), by_draws, (by_region, by_layer), strict=True
    ):
        intervals = interval_table({subject: drawn}, sure.attrs["confidence"])
        write_table(scored.merge(intervals, how="left", validate="1:1"), path)
    n_tested = int(ceilings[alignment.ceiling].count())
    needed = least_discoveries(fitted.attrs["smallest_p"], n_tested)
    if fitted.attrs["n_permutations"] and control == "fdr" and needed > 1:
        log.warning(
            "no p is smaller than %.2g (%d permutations): %d of %d voxels must have it before any "
            "is significant; more encoding.permutations lower it",
            fitted.attrs["smallest_p"], fitted.attrs["n_permutations"], needed, n_tested,
        )  # fmt: skip
