"""Variance partitioning: what two instructions explain together and apart.

shared = R2_a + R2_b - R2_joint, unique_a = R2_joint - R2_b, and unique_b
likewise: they add up to R2_joint. All are differences of noisy scores on test
images, so each can be negative; negative values are kept and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.encoding.banded import BandedFit
from brainstruct.encoding.regions import mean_over, regions

SHARES = ("shared", "unique_a", "unique_b")


def instruction_pairs(
    instructions: Sequence[str], reference: str | Literal["all"]
) -> list[tuple[str, str]]:
    """Return the pairs to partition.

    Parameters
    ----------
    instructions : sequence of str
        Instruction keys.
    reference : str
        Key that is paired with each other one, or ``all`` for every pair.

    Returns
    -------
    list of (a, b)
        Empty if the reference is not among the instructions.

    Examples
    --------
    >>> instruction_pairs(["IC", "VQ1", "SR"], "IC")
    [('IC', 'VQ1'), ('IC', 'SR')]
    """
    if reference == "all":
        return list(combinations(instructions, 2))
    if reference not in instructions:
        return []
    return [(reference, other) for other in instructions if other != reference]


def partition_layers(
    scores: xr.Dataset, reliable: xr.DataArray, layer: int | Literal["best"]
) -> dict[str, int]:
    """Choose the layer that stands for each instruction.

    A partition needs both feature spaces at one layer for all voxels: with a
    layer per voxel and instruction, every pair of layers would be a joint
    model. ``best`` is the layer whose CV score on the training images, averaged
    over the reliable voxels, is best.

    Parameters
    ----------
    scores : xarray.Dataset
        ``cv_score`` with dims instruction, layer, voxel.
    reliable : xarray.DataArray
        Dim voxel; whether the ceiling is above the threshold.
    layer : int or "best"
        A fitted layer for all instructions, or each instruction's best.

    Returns
    -------
    dict
        Instruction -> layer.

    Raises
    ------
    ValueError
        If the layer was not fitted, or no voxel is reliable.
    """
    names = [str(name) for name in scores["instruction"].values]
    if layer != "best":
        if layer not in scores["layer"].values:
            raise ValueError(f"layer {layer} is not among {scores['layer'].values.tolist()}")
        return dict.fromkeys(names, int(layer))
    if not reliable.any():
        raise ValueError("no voxel has a noise ceiling above the threshold")
    mean = scores["cv_score"].isel(voxel=np.flatnonzero(reliable.values)).mean("voxel")
    best = scores["layer"].values[mean.transpose("instruction", "layer").values.argmax(1)]
    return dict(zip(names, best.tolist(), strict=True))


def partition(fit: BandedFit) -> xr.Dataset:
    """Turn test scores into shared and unique variance.

    Parameters
    ----------
    fit : BandedFit
        R2 of two bands alone and together.

    Returns
    -------
    xarray.Dataset
        By voxel: r2_a, r2_b, r2_joint, shared, unique_a, unique_b, split_a,
        split_b, share (of band a, chosen) and alpha.
    """
    values = {
        "r2_a": fit.r2_a,
        "r2_b": fit.r2_b,
        "r2_joint": fit.r2_joint,
        "shared": fit.r2_a + fit.r2_b - fit.r2_joint,
        "unique_a": fit.r2_joint - fit.r2_b,
        "unique_b": fit.r2_joint - fit.r2_a,
        "split_a": fit.split_a,
        "split_b": fit.split_b,
        "share": fit.share,
        "alpha": fit.alpha,
    }
    return xr.Dataset(
        {name: ("voxel", array.astype(np.float32)) for name, array in values.items()},
        coords={"voxel": np.arange(fit.r2_a.size)},
    )


def partition_table(
    partitions: xr.Dataset, space: xr.Dataset, ceiling: xr.DataArray, threshold: float, mask: str
) -> pd.DataFrame:
    """Tabulate partitions per region.

    Parameters
    ----------
    partitions : xarray.Dataset
        Results of `partition` with dims pair, voxel, and coordinates ``a``,
        ``b``, ``layer_a``, ``layer_b`` on pair.
    space : xarray.Dataset
        Voxels and their labels, see `brainstruct.encoding.regions.regions`.
    ceiling : xarray.DataArray
        Noise ceiling as a correlation, dim voxel.
    threshold : float
        Voxels with a smaller ceiling are left out, and counted.
    mask : str
        Name under which all voxels together appear.

    Returns
    -------
    pandas.DataFrame
        One row per region and pair: means of every variable of R2, the same
        as a share of what can be explained (``{name}_of_ceiling``, mean R2 /
        mean ceiling^2: a mean of voxels' ratios would be ruled by the weakest
        ceilings), ``{share}_negative`` (share of voxels below zero),
        shared_of_joint (ratio of the means), n_voxels, n_excluded.
    """
    used = (ceiling >= threshold).values & partitions["r2_joint"].notnull().all("pair").values
    scored = ("r2_a", "r2_b", "r2_joint", *SHARES, "split_a", "split_b")
    kept = partitions[list(scored)].where(xr.DataArray(used, dims="voxel"))
    explainable = xr.DataArray(np.where(used, ceiling.values, np.nan) ** 2, dims="voxel")
    coordinates = {name: partitions[name].values for name in ("a", "b", "layer_a", "layer_b")}
    parts = []
    for region in regions(space, mask):
        inside = int((region.voxels & used).sum())
        columns: dict[str, object] = {"family": region.family, "label": region.label, **coordinates}
        means = {name: mean_over(kept[name], region).values for name in scored}
        columns |= means
        for name in ("r2_a", "r2_b", "r2_joint", *SHARES):
            columns[f"{name}_of_ceiling"] = means[name] / float(mean_over(explainable, region))
        for name in SHARES:
            negative = (kept[name].isel(voxel=np.flatnonzero(region.voxels & used)) < 0).values
            columns[f"{name}_negative"] = negative.mean(1) if inside else np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            columns["shared_of_joint"] = means["shared"] / means["r2_joint"]
        columns["n_voxels"] = int(region.voxels.sum())
        columns["n_excluded"] = int(region.voxels.sum()) - inside
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def shared_matrix(table: pd.DataFrame, value: str = "shared") -> pd.DataFrame:
    """Lay one region's pairs out as a symmetric matrix.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of one region (and subject and model) of `partition_table`.
    value : str
        Column to show; ``shared`` and ``r2_joint`` are symmetric. The diagonal
        holds each instruction's own R2 (mean over its pairs: the same model).

    Returns
    -------
    pandas.DataFrame
        Instruction x instruction, in order of appearance; NaN for pairs that
        were not partitioned.

    Raises
    ------
    ValueError
        If a pair occurs twice: then rows of several regions are mixed.
    """
    if table.duplicated(["a", "b"]).any():
        raise ValueError("pairs occur more than once: select one region, subject and model")
    names = list(dict.fromkeys([*table["a"], *table["b"]]))
    matrix = pd.DataFrame(np.nan, index=pd.Index(names, name="instruction"), columns=names)
    for row in table.itertuples(index=False):
        matrix.loc[row.a, row.b] = matrix.loc[row.b, row.a] = getattr(row, value)
    for name in names:
        alone = [*table.loc[table["a"] == name, "r2_a"], *table.loc[table["b"] == name, "r2_b"]]
        matrix.loc[name, name] = float(np.mean(alone))
    return matrix
