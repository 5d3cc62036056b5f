"""How ROI families are called in figures."""

from __future__ import annotations

from collections.abc import Iterable

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
