"""Names of the numbers in ROI volumes."""

from __future__ import annotations

import os
from pathlib import Path

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.errors import InputError
from brainstruct.store.faults import reading

LABELS: dict[str, dict[int, str]] = {
    family: dict(enumerate(names, start=1))
    for family, names in {
        "nsdgeneral": ("nsdgeneral",),
        "prf-visualrois": ("V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"),
        "prf-eccrois": ("ecc0pt5", "ecc1", "ecc2", "ecc4", "ecc4+"),
        "floc-bodies": ("EBA", "FBA-1", "FBA-2", "mTL-bodies"),
        "floc-faces": ("OFA", "FFA-1", "FFA-2", "mTL-faces", "aTL-faces"),
        "floc-places": ("OPA", "PPA", "RSC"),
        "floc-words": ("OWFA", "VWFA-1", "VWFA-2", "mfs-words", "mTL-words"),
        "streams": (
            *("early", "midventral", "midlateral", "midparietal"),
            *("ventral", "lateral", "parietal"),
        ),
        "Kastner2015": (
            *("V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"),
            *("VO1", "VO2", "PHC1", "PHC2", "TO2", "TO1", "LO2", "LO1", "V3B", "V3A"),
            *("IPS0", "IPS1", "IPS2", "IPS3", "IPS4", "IPS5", "SPL1", "FEF"),
        ),
    }.items()
}
"""Family -> number -> name, as the data set's authors drew them (from 1 to N)."""


def read_label_table(path: str | os.PathLike[str]) -> dict[int, str]:
    """Read number -> name, without 0 (unknown), from a ``.ctab`` file.

    Raises
    ------
    InputError
        If the file is missing, a line does not begin with a number and a name,
        or one of them comes twice.
    """
    cure = "Download it again, or delete it to use the built-in names"
    with reading(path, "table of labels", cure):
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    names: dict[int, str] = {}
    for place, line in enumerate(lines, start=1):
        # Some tables carry a tab or an escaped tab with notes behind the name.
        parts = line.replace("\\", " ").split()[:2]
        if not parts:
            continue
        if len(parts) < 2 or not parts[0].isdecimal():
            raise InputError(path, f"line {place} is not '<number> <name>': {line!r}", cure)
        number = int(parts[0])
        if number in names or parts[1] in names.values():
            raise InputError(path, f"line {place} repeats a number or a name: {line!r}", cure)
        names[number] = parts[1]
    names.pop(0, None)
    return names


def label_names(layout: Layout, subject: str, family: str) -> dict[int, str]:
    """Return number -> name of a family's labels.

    The first table found on disk counts; without one, the built-in names.

    Raises
    ------
    InputError
        If there is neither a table nor built-in names, or a table gives a
        known name another number than the authors do: regions would be mixed up.
    """
    known = LABELS.get(family, {})
    tables = layout.label_tables(subject, family)
    present = [path for path in tables if path.is_file()]
    if not present:
        if not known:
            raise InputError(
                tables[0],
                f"does not exist, and the names of the labels of {family} are not built in",
                f"Download it, or use one of {', '.join(LABELS)}",
            )
        return dict(known)
    names = read_label_table(present[0])
    number_of = {name: number for number, name in known.items()}
    moved = {
        name: number for number, name in names.items() if number_of.get(name, number) != number
    }
    if moved:
        name, number = next(iter(moved.items()))
        raise InputError(
            present[0],
            f"numbers {len(moved)} labels of {family} unlike the data set "
            f"({name} is {number} instead of {number_of[name]})",
            "Download it again, or delete it to use the built-in names",
        )
    return names
