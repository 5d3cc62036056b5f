"""Which region a label is a part of, and how regions of several families are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def region_of(label: str) -> str:
    """Return the name of the region that a label is a part of: FFA for FFA-1, V1 for V1v."""
    if label[:1] == "V" and label[1:2].isdigit() and label[-1:] in "vd":
        return label[:-1]
    stem, _, part = label.partition("-")
    return stem if part.isdigit() else label


def distinct_names(regions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Name regions so that no two of them share a name.

    Parameters
    ----------
    regions : iterable of (family, name)
        Families may share names: two atlases both have a V1v.

    Returns
    -------
    dict
        (family, name) -> the name alone, or ``name (family)`` where several
        families have it; in the order given.
    """
    known = dict.fromkeys(regions)
    often = Counter(name for _, name in known)
    return {
        (family, name): name if often[name] == 1 else f"{name} ({family})" for family, name in known
    }
