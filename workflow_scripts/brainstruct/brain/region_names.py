"""Which region a label is a part of, and how regions of several families are told apart."""

import re
from collections import Counter
from collections.abc import Iterable

_HALF = re.compile(r"(V[1-4])[vd]")
"""The ventral or dorsal half of an early visual area."""

_NUMBERED = re.compile(r"(.*[A-Za-z])-\d+")
"""One of several patches of a region."""


def region_of(label: str) -> str:
    """Return the name of the region that a label of an atlas is a part of.

    FFA for FFA-1, V1 for V1v; other labels, such as hV4, IPS0 and i6-8 (an area between 6
    and 8), are regions of their own.
    """
    part = _HALF.fullmatch(label) or _NUMBERED.fullmatch(label)
    return part[1] if part else label


def distinct_names(regions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Name regions, (family, name), so that no two of them share a name; in their order.

    Families may share names: two atlases both have a V1v. Then it is ``name (family)``.
    """
    known = dict.fromkeys(regions)
    often = Counter(name for _, name in known)
    return {
        (family, name): name if often[name] == 1 else f"{name} ({family})" for family, name in known
    }
