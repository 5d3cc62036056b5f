"""Winners of finished studies."""

import os
from pathlib import Path

import numpy as np
import xarray as xr

from brainstruct.results.available import Names, available, chosen
from brainstruct.results.space import read_space, with_space
from brainstruct.store.arrays import provenance, read_dataset


def load_winners(
    results: str | os.PathLike[str], subject: str, model: str, roi: Names = None
) -> xr.Dataset:
    """Load the instruction and layer that suit each voxel best.

    Parameters and errors as for `brainstruct.results.load_scores`.

    Returns
    -------
    xarray.Dataset
        On voxel: ``winner`` (key of the instruction; ``""`` where the ceiling
        is under the study's threshold), ``clear`` (whether it is surely better than
        every other: ``q`` <= 0.05), ``layer`` and the interval of depth from ``layer_low`` to
        ``layer_high`` (-1 there), ``alignment`` of the winner on the test images,
        ``margin`` over the runner-up, and the noise ceilings. On (instruction, voxel):
        ``alignment_by_instruction``, and ``candidate``, those that cannot be told from
        the winner. Coordinates on voxel as there.
    """
    root = Path(results)
    found = available(root)
    chosen("subject", subject, list(found), root / "scores")
    chosen("model", model, found[subject], root / "scores" / subject)
    stored = read_dataset(
        root / "winners" / subject / f"{model}.nc",
        ["instruction_index", "clear", "layer", "alignment", "alignment_by_instruction"],
        ["voxel", "instruction"],
    )
    space = read_space(root, subject, provenance(stored)["alignment"]["ceiling"], roi)
    winners = stored.sel(voxel=space["voxel"].values)
    keys = np.array([*winners["instruction"].values.astype(str), ""])  # -1, none, is the last
    winners["winner"] = ("voxel", keys[winners["instruction_index"].values])
    winners = winners.drop_vars("instruction_index")
    return with_space(winners, space).assign_coords(model=model)
