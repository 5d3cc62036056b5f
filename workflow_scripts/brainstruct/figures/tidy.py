"""Small steps from tidy tables to what a figure shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd


def require_columns(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Check that a table has the columns a figure needs.

    Raises
    ------
    ValueError
        If it lacks some.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(f"the table lacks the columns {', '.join(missing)}")


def require_unique(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Check that a combination of columns names one row each.

    Raises
    ------
    ValueError
        If a combination occurs twice: its mean would hide what differs.
    """
    twice = table.duplicated(list(columns))
    if twice.any():
        first = table.loc[twice, list(columns)].iloc[0].to_dict()
        raise ValueError(f"{int(twice.sum())} rows of the table are doubled, the first at {first}")


def ordered(table: pd.DataFrame, column: str, order: Sequence[str] | None) -> list[str]:
    """Return the names to show: those asked for, else those there, in their order."""
    return list(order) if order is not None else [str(name) for name in table[column].unique()]


def label_of(name: str, labels: Mapping[str, str] | None) -> str:
    """Return the label of a name, or the name."""
    return (labels or {}).get(name, name)


def mean_and_sem(values: pd.Series) -> tuple[float, float]:
    """Return mean and standard error of the mean of the values there are.

    Returns
    -------
    tuple of float
        NaN mean without values; NaN error with fewer than two.
    """
    known = values.dropna().to_numpy(float)
    mean = float(known.mean()) if known.size else float("nan")
    sem = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else float("nan")
    return mean, sem
