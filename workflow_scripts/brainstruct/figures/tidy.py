"""Small steps from tidy tables to what a figure shows, and back."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike


def require_columns(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise ValueError if a table lacks columns that a figure needs."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(f"the table lacks the columns {', '.join(missing)}")


def require_tidy(table: pd.DataFrame, keys: Sequence[str], values: Sequence[str]) -> None:
    """Check that a table has columns of keys and values, and that keys name one row each.

    A `ValueError` if a combination occurs twice: its mean would hide what differs.
    """
    require_columns(table, (*keys, *values))
    twice = table.duplicated(list(keys))
    if twice.any():
        first = table.loc[twice, list(keys)].iloc[0].to_dict()
        raise ValueError(f"{int(twice.sum())} rows of the table are doubled, the first at {first}")


def shown(table: pd.DataFrame, column: str, wanted: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return the names to show with their labels: those wanted, else those there, as they are."""
    return {str(name): str(name) for name in table[column].unique()} if wanted is None else wanted


def label_of(name: str, labels: Mapping[str, str] | None) -> str:
    """Return the label of a name, or the name."""
    return (labels or {}).get(name, name)


def mean_and_sem(values: pd.Series) -> tuple[float, float]:
    """Return mean and standard error of the values there are; NaN where there are too few."""
    known = values.dropna().to_numpy(float)
    mean = float(known.mean()) if known.size else float("nan")
    sem = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else float("nan")
    return mean, sem


def summarise(
    table: pd.DataFrame, keys: Sequence[str], wanted: Iterable[tuple[object, ...]]
) -> pd.DataFrame:
    """Average over subjects.

    `table` has the columns of `keys` and value, one row per combination and subject; combinations
    that are wanted but have no rows have no mean. Returns, in their order, the columns of `keys`,
    mean, sem and subjects (how many have a value).
    """
    groups = dict(iter(table.groupby(list(keys))["value"]))
    rows = []
    for group in wanted:
        values = groups.get(group, pd.Series(dtype=float))
        rows.append((*group, *mean_and_sem(values), int(values.notna().sum())))
    return pd.DataFrame(rows, columns=[*keys, "mean", "sem", "subjects"])


def voxel_table(
    voxels: xr.DataArray,
    columns: Mapping[str, ArrayLike | None],
    before: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Put values beside the coordinates i, j, k of their voxels.

    Columns have one value per voxel, and `None` is left out; those of one value, `before`, come
    before i, j, k.
    """
    index = {axis: np.asarray(voxels[axis]) for axis in ("i", "j", "k")}
    given = {name: np.asarray(one) for name, one in columns.items() if one is not None}
    return pd.DataFrame({**(before or {}), **index, **given})
