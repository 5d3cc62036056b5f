"""Flatmaps of noise ceilings: how well each voxel could be predicted at best."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.figures.drawing import Drawing
from brainstruct.figures.scales import BAR, Scale
from brainstruct.figures.stage import Panel, Stage, draw_maps
from brainstruct.figures.style import journal_style
from brainstruct.figures.tidy import voxel_table

_LABELS = {"ncsnr": "from repetitions", "cross_subject": "from other subjects"}
"""Kind of ceiling -> what it is estimated from."""


@journal_style()
def draw_noise_ceiling(
    stages: Mapping[str, Stage],
    ceilings: Mapping[str, Mapping[str, xr.DataArray]],
    usable: Mapping[str, Mapping[str, xr.DataArray]],
) -> Drawing:
    """Draw the noise ceilings of all subjects at one scale, from 0 to 1.

    `ceilings` has, by subject and kind, the largest possible correlation (voxel), with voxel
    coordinates i, j, k; `usable` the same where scores are divided by it, see
    `brainstruct.brain.ceilings.usable_ceiling`: the words over a map, and marks on the colour bar,
    say where voxels are left out of the analysis. With two kinds or more, each subject has a row
    of its own. The table: subject, ceiling (its kind), i, j, k, value.
    """
    kinds = list(dict.fromkeys(kind for one in ceilings.values() for kind in one))
    everything = [values for one in ceilings.values() for values in one.values()]
    scale = Scale.of(everything, "Noise ceiling (correlation)", 1.0)
    panels, tables, marks = [], [], []
    for subject, stage in stages.items():
        for kind in kinds:
            values = ceilings[subject].get(kind)
            if values is None:
                nothing = np.zeros((*stage.flatmap.inside.shape, 4), np.float32)
                panels.append(Panel(stage, nothing, f"{subject}: none"))
                continue
            used = usable[subject][kind]
            least = used.attrs["threshold"]
            if not isinstance(least, str):
                marks.append(least)
                least = f"{least:.3g}"
            share = 100 * float(used.notnull().mean())
            says = f"{subject}, {_LABELS.get(kind, kind)}: {share:.0f} % above {least}"
            panels.append(Panel(stage, scale.paint(stage.flatmap.average(values)), says))
            before = {"subject": subject, "ceiling": kind}
            tables.append(voxel_table(values, {"value": values}, before))
    page, below = draw_maps(panels, lambda _: BAR, columns=max(len(kinds), 2))
    scale.draw_bar(page, page.width / 2 - 30, below + 2, 60, marks=marks)
    return Drawing(page.figure, pd.concat(tables, ignore_index=True))
