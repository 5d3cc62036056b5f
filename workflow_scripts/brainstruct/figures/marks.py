"""Marks of significance for figures, from tables of comparisons over the group of subjects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from brainstruct.figures.tidy import require_columns

LEVEL = 0.05
"""Largest q that earns a mark."""

BEST = "*"
"""Mark of an instruction that is ahead of every other one."""


PREVALENCE = ("prevalence", "prevalence_low", "prevalence_high")
"""Share of people who would show a difference, the most probable value and its interval."""


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
    q, and `PREVALENCE`, `baselines` mark -> models. A model that is compared with some of them only
    needs to be better than those; one that is compared with none has no mark. Returns the columns
    family, label, model, mark, and the least prevalence of these differences; a model's marks are
    joined in the order of `baselines`.
    """
    sides = _sides(comparisons)
    sides = sides[
        ~sides["one"].isin([model for members in baselines.values() for model in members])
    ]
    place = ["family", "label"]
    earned = [
        _winners(sides[sides["other"].isin(members)], place).assign(mark=mark)
        for mark, members in baselines.items()
    ]
    joined = {"mark": "".join} | dict.fromkeys(PREVALENCE, "min")
    found = pd.concat(earned).groupby([*place, "one"], sort=False).agg(joined)
    return found.reset_index().rename(columns={"one": "model"})


def best_marks(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Mark the instruction of each model and region that is ahead of every other one.

    Each of its comparisons has to be significant, which is stricter than being ahead of the
    runner-up. The table is as for `baseline_marks`, with a column model; a and b are instructions.
    Returns the columns model, family, label, instruction, mark and `PREVALENCE`.
    """
    require_columns(comparisons, ("model",))
    winners = _winners(_sides(comparisons), ["model", "family", "label"])
    return winners.rename(columns={"one": "instruction"}).assign(mark=BEST)


def present_marks(marks: pd.DataFrame, meanings: Mapping[str, str]) -> dict[str, str]:
    """Return the marks that occur, with what they mean and the least prevalence of any."""
    said = {}
    for mark, says in meanings.items():
        seen = marks[marks["mark"].str.contains(mark, regex=False)]
        if len(seen):
            best, low, high = seen[[*PREVALENCE]].min()
            said[mark] = f"{says}; prevalence {best:.2f} [{low:.2f}, {high:.2f}] or more"
    return said


def _sides(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Two rows per pair, with columns one, other, and whether the one is surely ahead."""
    require_columns(
        comparisons,
        ("subject", "measure", "family", "label", "a", "b", "difference", "q", *PREVALENCE),
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


def _winners(sides: pd.DataFrame, place: Sequence[str]) -> pd.DataFrame:
    """Who wins all of its comparisons, place by place, and the least prevalence of them."""
    grouped = sides.groupby([*place, "one"], sort=False)
    ahead = grouped.agg({"won": "all"} | dict.fromkeys(PREVALENCE, "min"))
    return ahead[ahead["won"]].drop(columns="won").reset_index()
