"""How regions and their families are called in figures."""

from collections.abc import Iterable

import pandas as pd

from brainstruct.brain.region_names import distinct_names
from brainstruct.store.resources import table_beside

FAMILY_LABELS: dict[str, str] = table_beside(__file__, "family_labels.toml")
"""ROI volume -> label; others are called by their file's name."""


def family_labels(families: Iterable[str]) -> dict[str, str]:
    """Return family -> label for some ROI families, in their order."""
    return {family: FAMILY_LABELS.get(family, family) for family in families}


def single_regions(table: pd.DataFrame, mask: str) -> pd.DataFrame:
    """Keep the rows of single labels and of the mask, and name their regions.

    Label ``all`` is a family as a whole. Returns rows with a column roi: the mask's name, a label,
    or ``label (family)`` where several families have the label.
    """
    kept = table[(table["label"] != "all") | (table["family"] == mask)]
    alone = kept["label"].where(kept["label"] != "all", kept["family"])
    places = list(zip(kept["family"], alone, strict=True))
    names = distinct_names(places)
    return kept.assign(roi=[names[place] for place in places])
