"""How regions and their families are called in figures."""

from collections.abc import Iterable

import pandas as pd

from brainstruct.brain.region_names import distinct_names

FAMILY_LABELS = {
    "nsdgeneral": "Whole mask",
    "prf-visualrois": "Visual (pRF)",
    "prf-eccrois": "Eccentricity (pRF)",
    "floc-bodies": "Bodies",
    "floc-faces": "Faces",
    "floc-places": "Places",
    "floc-words": "Words",
    "streams": "Streams",
    "HCP_MMP1": "HCP MMP1",
    "Kastner2015": "Kastner 2015",
}
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
