"""From scores to normalised brain alignment, and to the winners per voxel.

Everything that is *selected* (a voxel's layer, its instruction) is selected by the cross-validation
score of the training images; the test images only say how well the selected one does.
"""

from typing import Literal

import numpy as np
import xarray as xr

LayerRule = Literal["best", "mean"]

NO_WINNER = -1
"""Index that stands for "none" in maps of winners."""


def best_of(scores: xr.DataArray, dim: str) -> xr.DataArray:
    """Return the position of the best score.

    It is along `dim`, by all other dims: the first of several that are as good; larger is better,
    NaN loses to any.
    """
    best: xr.DataArray = scores.fillna(-np.inf).argmax(dim)
    return best


def select_layers(scores: xr.Dataset, rule: LayerRule) -> xr.Dataset:
    """Reduce the layers of every voxel and instruction to one number.

    `scores` has ``r`` and ``cv_score`` with dims instruction, layer, voxel. The rule ``best`` is
    the layer with the best CV score, ``mean`` all layers' mean. Returns ``r``, ``cv_score`` and
    ``layer`` (of the best CV score under either rule) with dims instruction, voxel.
    """
    best = best_of(scores["cv_score"], "layer")
    layer = scores["layer"][best].drop_vars("layer")
    if rule == "mean":
        kept = scores[["r", "cv_score"]].mean("layer")
    else:
        kept = scores[["r", "cv_score"]].isel(layer=best).drop_vars("layer")
    return kept.assign(layer=layer)


def find_winners(scores: xr.Dataset, ceiling: xr.DataArray, *, rule: LayerRule) -> xr.Dataset:
    """Find the instruction and the layer that suit each voxel best.

    Layers are reduced by `select_layers` before instructions are compared, scores divided by the
    ceiling (see `brainstruct.brain.ceilings.usable_ceiling`); voxels without one have no winner.

    Returns
    -------
    xarray.Dataset
        By voxel: ``instruction_index``, the winner's position, and ``layer``, its layer with
        the best CV score, or `NO_WINNER`; ``alignment``, its normalised alignment on the test
        images; ``margin``, how much it exceeds the runner-up's there (NaN with one instruction;
        negative where the test images disagree). By instruction and voxel:
        ``alignment_by_instruction``.
    """
    reduced = select_layers(scores, rule)
    alignment = reduced["r"] / ceiling
    reliable = ceiling.notnull()
    first = best_of(reduced["cv_score"], "instruction")
    winner = alignment.isel(instruction=first).drop_vars("instruction")
    if scores.sizes["instruction"] > 1:
        second = _runner_up(reduced["cv_score"], first)
        margin = winner - alignment.isel(instruction=second).drop_vars("instruction")
    else:
        margin = xr.full_like(winner, np.nan)
    layer = reduced["layer"].isel(instruction=first).drop_vars("instruction")
    return xr.Dataset(
        {
            "instruction_index": first.where(reliable, NO_WINNER).astype(np.int16),
            "layer": layer.where(reliable, NO_WINNER).astype(np.int16),
            "alignment": winner.astype(np.float32),
            "margin": margin.astype(np.float32),
            "alignment_by_instruction": alignment.astype(np.float32),
        }
    )


def _runner_up(cv_score: xr.DataArray, first: xr.DataArray) -> xr.DataArray:
    """Return the position of the second-best instruction."""
    place = xr.DataArray(np.arange(cv_score.sizes["instruction"]), dims="instruction")
    # One without a score comes after those with one, and is still another than the first.
    others = cv_score.fillna(np.finfo(cv_score.dtype).min).where(place != first)
    return best_of(others, "instruction")
