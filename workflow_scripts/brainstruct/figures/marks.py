"""Marks of significance for figures, from tables of comparisons over the group of subjects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from brainstruct.figures.tidy import require_columns

LEVEL = 0.05
"""Largest q that earns a mark."""

BEST = "*"
"""Mark of an instruction that is ahead of every other one."""


@dataclass(frozen=True)
class Baseline:
    """Models that a mark says another model is better than, and what they are called."""

    models: list[str]
    label: str


def baseline_marks(
    comparisons: pd.DataFrame, baselines: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Mark models that are better than every model of a set of baselines.

    `comparisons` has the columns subject, measure, family, label, a, b, difference (a minus b) and
    q, `baselines` mark -> models. A model that is compared with some of them only needs to be
    better than those; one that is compared with none has no mark. Returns the columns family,
    label, model, mark; a model's marks are joined in the order of `baselines`.
    """
    sides = _sides(comparisons)
    sides = sides[
        ~sides["one"].isin([model for members in baselines.values() for model in members])
    ]
    earned: dict[tuple[object, ...], str] = {}
    for mark, members in baselines.items():
        for place in _winners(sides[sides["other"].isin(members)], ["family", "label"]):
            earned[place] = earned.get(place, "") + mark
    rows = [(*place, mark) for place, mark in earned.items()]
    return pd.DataFrame(rows, columns=["family", "label", "model", "mark"])


def best_marks(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Mark the instruction of each model and region that is ahead of every other one.

    Each of its comparisons has to be significant, which is stricter than being ahead of the
    runner-up. The table is as for `baseline_marks`, with a column model; a and b are instructions.
    Returns the columns model, family, label, instruction, mark.
    """
    require_columns(comparisons, ("model",))
    winners = _winners(_sides(comparisons), ["model", "family", "label"])
    rows = [(*place, BEST) for place in winners]
    return pd.DataFrame(rows, columns=["model", "family", "label", "instruction", "mark"])


def present_marks(marks: pd.DataFrame, meanings: Mapping[str, str]) -> dict[str, str]:
    """Return the marks that occur, with what they mean."""
    seen = "".join(marks["mark"])
    return {mark: says for mark, says in meanings.items() if mark in seen}


def _sides(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Two rows per pair, with columns one, other, and whether the one is surely ahead."""
    require_columns(
        comparisons, ("subject", "measure", "family", "label", "a", "b", "difference", "q")
    )
    group = (comparisons["subject"] == "group") & (comparisons["measure"] == "alignment")
    table = comparisons[group]
    sure = table["q"] <= LEVEL
    return pd.concat(
        [
            table.assign(one=table["a"], other=table["b"], won=sure & (table["difference"] > 0)),
            table.assign(one=table["b"], other=table["a"], won=sure & (table["difference"] < 0)),
        ]
    )


def _winners(sides: pd.DataFrame, place: Sequence[str]) -> list[tuple[object, ...]]:
    """Who wins all of its comparisons, place by place."""
    ahead = sides.groupby([*place, "one"], sort=False)["won"].all()
    return list(ahead[ahead].index)
