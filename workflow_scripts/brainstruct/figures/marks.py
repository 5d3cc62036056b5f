"""Marks of significance for figures, from tables of comparisons."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from brainstruct.figures.tidy import require_columns

LEVEL = 0.05
"""Largest q that earns a mark."""

BEST = "*"
"""Mark of an instruction that is ahead of every other one."""

_COLUMNS = ("subject", "measure", "family", "label", "a", "b", "difference", "q")


@dataclass(frozen=True)
class Baseline:
    """Models that a mark says another model is better than, and what they are called."""

    models: list[str]
    label: str


def baseline_marks(
    comparisons: pd.DataFrame,
    baselines: Mapping[str, Sequence[str]],
    *,
    subject: str = "group",
    measure: str = "alignment",
) -> pd.DataFrame:
    """Mark models that are better than every model of a set of baselines.

    Parameters
    ----------
    comparisons : pandas.DataFrame
        Columns subject, measure, family, label, a, b, difference (a minus b)
        and q; rows of other subjects and measures are left out.
    baselines : mapping
        Mark -> models. A model that is compared with some of them only needs
        to be better than those; one that is compared with none has no mark.
    subject, measure : str
        Rows to look at.

    Returns
    -------
    pandas.DataFrame
        Columns family, label, model, mark; a model's marks are joined in the
        order of `baselines`.
    """
    wins = _wins(comparisons, subject, measure)
    rows = []
    for (family, label, model), faced in wins.groupby(["family", "label", "model"], sort=False):
        if any(model in members for members in baselines.values()):
            continue
        earned = ""
        for mark, members in baselines.items():
            against = faced.loc[faced["other"].isin(members), "won"]
            earned += mark if len(against) and against.all() else ""
        if earned:
            rows.append((family, label, model, earned))
    return pd.DataFrame(rows, columns=["family", "label", "model", "mark"])


def best_marks(
    comparisons: pd.DataFrame, *, subject: str = "group", measure: str = "alignment"
) -> pd.DataFrame:
    """Mark the instruction of each model and region that is ahead of every other one.

    Each of its comparisons has to be significant, which is stricter than
    being ahead of the runner-up.

    Parameters
    ----------
    comparisons : pandas.DataFrame
        As for `baseline_marks`, with a column model; a and b are instructions.
    subject, measure : str
        Rows to look at.

    Returns
    -------
    pandas.DataFrame
        Columns model, family, label, instruction, mark.
    """
    require_columns(comparisons, ("model",))
    rows = []
    for name, part in comparisons.groupby("model", sort=False):
        wins = _wins(part, subject, measure)
        won = wins.groupby(["family", "label", "model"], sort=False)["won"].all()
        rows += [(name, *place, BEST) for place, ahead in won.items() if ahead]
    return pd.DataFrame(rows, columns=["model", "family", "label", "instruction", "mark"])


def present_marks(marks: pd.DataFrame, meanings: Mapping[str, str]) -> dict[str, str]:
    """Return the marks that occur, with what they mean."""
    seen: Collection[str] = "".join(marks["mark"])
    return {mark: says for mark, says in meanings.items() if mark in seen}


def _wins(comparisons: pd.DataFrame, subject: str, measure: str) -> pd.DataFrame:
    """One row per region and competitor in a pair: family, label, model, other, won."""
    require_columns(comparisons, _COLUMNS)
    chosen = comparisons[(comparisons["subject"] == subject) & (comparisons["measure"] == measure)]
    rows = [side for row in chosen.to_dict("records") for side in _sides(row)]
    return pd.DataFrame(rows, columns=["family", "label", "model", "other", "won"])


def _sides(row: Mapping[str, object]) -> Iterator[tuple[object, ...]]:
    difference, q = float(str(row["difference"])), float(str(row["q"]))
    sure = q <= LEVEL
    yield row["family"], row["label"], row["a"], row["b"], sure and difference > 0
    yield row["family"], row["label"], row["b"], row["a"], sure and difference < 0
