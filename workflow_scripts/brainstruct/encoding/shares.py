"""Tables of partitioned variance; apart from what partitions it, so that torch is not loaded."""

import numpy as np
import pandas as pd
import xarray as xr

from brainstruct.encoding.regions import mean_over, regions

SHARES = ("shared", "unique_a", "unique_b")


def partition_table(
    partitions: xr.Dataset, space: xr.Dataset, ceiling: xr.DataArray, mask: str
) -> pd.DataFrame:
    """Tabulate partitions per region.

    `partitions` are those of `brainstruct.encoding.partition.partition_pair` with dims pair, voxel,
    and coordinates ``a`` and ``b`` on pair; the ceiling is a correlation, dim voxel, see
    `brainstruct.brain.ceilings.usable_ceiling`; voxels without one are left out, and counted. One
    row per region and pair; ``dictionary/columns.toml`` describes the columns. Ratios are of means:
    a mean of voxels' ratios would be ruled by the weakest ceilings.
    """
    whole = partitions["r2_joint"].notnull().all("pair").values
    used = ceiling.notnull().values & whole
    scored = ("r2_a", "r2_b", "r2_full_a", "r2_full_b", "r2_joint", *SHARES, "split_a", "split_b")
    kept = partitions[list(scored)].where(xr.DataArray(used, dims="voxel"))
    explainable = xr.DataArray(np.where(used, ceiling.values, np.nan) ** 2, dims="voxel")
    coordinates = {name: partitions[name].values for name in "ab"}
    parts = []
    tail = (1 - partitions.attrs["confidence"]) / 2
    drawn = partitions["region_draws"].transpose("part", "region", "pair", "draw").values
    ends = np.quantile(drawn, [tail, 1 - tail], axis=-1)
    for place, region in enumerate(regions(space, mask)):
        inside = int((region.voxels & used).sum())
        columns: dict[str, object] = {"family": region.family, "label": region.label, **coordinates}
        for name in ("layer_a", "layer_b"):
            layers = partitions[name].transpose("pair", "voxel").values[:, region.voxels & used]
            most_frequent = [np.bincount(row).argmax() if row.size else None for row in layers]
            columns[name] = pd.array(most_frequent, dtype="Int64")
        means = {name: mean_over(kept[name], region).values for name in scored}
        columns |= means
        for name in ("r2_a", "r2_b", "r2_joint", *SHARES):
            columns[f"{name}_of_ceiling"] = means[name] / float(mean_over(explainable, region))
        for name in SHARES:
            negative = (kept[name].isel(voxel=np.flatnonzero(region.voxels & used)) < 0).values
            columns[f"{name}_negative"] = negative.mean(1) if inside else np.nan
            low_and_high = ends[:, SHARES.index(name), place]
            columns[f"{name}_ci_low"], columns[f"{name}_ci_high"] = low_and_high
        with np.errstate(divide="ignore", invalid="ignore"):
            columns["shared_of_joint"] = means["shared"] / means["r2_joint"]
        columns["shared_of_joint_of_third"] = float(partitions["calibration"].isel(planted=1))
        columns["n_voxels"] = int(region.voxels.sum())
        columns["n_excluded"] = int(region.voxels.sum()) - inside
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def shared_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Lay one region's pairs out as a symmetric matrix.

    The table has rows of one region (and subject and model) of `partition_table`; the matrix is
    ``shared``, instruction x instruction in order of appearance; NaN for pairs that were not
    partitioned. The diagonal holds each instruction's own R2 (mean over its pairs: the same model).
    A `ValueError` if a pair occurs twice: then rows of several regions are mixed.
    """
    if table.duplicated(["a", "b"]).any():
        raise ValueError("pairs occur more than once: select one region, subject and model")
    names = list(dict.fromkeys([*table["a"], *table["b"]]))
    matrix = pd.DataFrame(np.nan, index=pd.Index(names, name="instruction"), columns=names)
    for row in table.itertuples(index=False):
        matrix.loc[row.a, row.b] = matrix.loc[row.b, row.a] = row.shared
    for name in names:
        alone = [*table.loc[table["a"] == name, "r2_a"], *table.loc[table["b"] == name, "r2_b"]]
        matrix.loc[name, name] = float(np.mean(alone))
    return matrix
