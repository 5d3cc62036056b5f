"""Which region a label is a part of."""

from __future__ import annotations


def region_of(label: str) -> str:
    """Return the name of the region that a label is a part of: FFA for FFA-1, V1 for V1v."""
    if label[:1] == "V" and label[1:2].isdigit() and label[-1:] in "vd":
        return label[:-1]
    stem, _, part = label.partition("-")
    return stem if part.isdigit() else label
