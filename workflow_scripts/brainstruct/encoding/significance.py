"""Which voxels are predicted better than chance, at a false discovery rate."""

from __future__ import annotations

import numpy as np
import xarray as xr

from brainstruct.encoding.alignment import LayerRule, best_of
from brainstruct.encoding.fdr import LEVEL, benjamini_hochberg


def combine_p(p: xr.DataArray, dim: str) -> xr.DataArray:
    """Combine p-values of one voxel along a dimension, whatever their dependence.

    Layers and instructions are tested on the same images, so their p-values are far from
    independent. Twice their mean is a valid p-value under any dependence (Vovk and Wang 2020,
    doi:10.1093/biomet/asaa027). With one entry, p stays as it is.
    """
    if p.sizes[dim] == 1:
        return p.isel({dim: 0}, drop=True)
    return (2 * p.mean(dim)).clip(max=1.0)


def selected_p(scores: xr.Dataset, rule: LayerRule) -> xr.DataArray:
    """Reduce the layers of every voxel and instruction to one p-value.

    `scores` has ``p`` and ``cv_score`` with dims instruction, layer, voxel. As in
    `brainstruct.encoding.alignment.select_layers` it is the layer with the best CV score (chosen on
    the training images, so its p needs no correction), or all layers together, see `combine_p`.
    """
    if rule == "mean":
        return combine_p(scores["p"], "layer")
    best = best_of(scores["cv_score"], "layer")
    return scores["p"].isel(layer=best).drop_vars("layer")


def significant(p: xr.DataArray, ceiling: xr.DataArray) -> xr.DataArray:
    """Say which voxels remain after control of the false discovery rate.

    The voxels are one family of tests, other dims (instruction, layer) families of their own;
    voxels without a ceiling are not tested. Returns 1 where q (Benjamini-Hochberg)
    is at most `LEVEL`, 0 where it is not, NaN where there was no test.
    """
    tested = p.where(ceiling.notnull())
    q = tested.copy(data=benjamini_hochberg(tested, axis=tested.get_axis_num("voxel")))
    return (q <= LEVEL).where(q.notnull()).astype(np.float32)
