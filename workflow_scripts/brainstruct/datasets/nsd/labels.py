"""Names of the numbers in ROI volumes."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.errors import InputError
from brainstruct.settings.suggest import did_you_mean
from brainstruct.store.faults import reading

LABELS: dict[str, dict[int, str]] = {
    family: dict(enumerate(names, start=1))
    for family, names in json.loads(Path(__file__).with_name("labels.json").read_bytes()).items()
}
"""Family -> number -> name, as the data set's authors drew them (from 1 to N)."""

DISTRIBUTED = (*LABELS, "HCP_MMP1", "corticalsulc", "visualsulc", "fVTC", "MTL", "thalamus")
"""Families whose volumes the data set holds; the last two come without a table of names."""


def volume_cure(path: Path) -> str:
    """Return what to do about the volume of a mask or of regions, which may be one's own."""
    family = path.name.removesuffix(".nii.gz")
    if family in DISTRIBUTED:
        return f"Fetch it (docs/data.md; check data.space), or leave {family} out (data.rois)"
    return (
        f"The data set has no {family}.{did_you_mean(family, DISTRIBUTED)} Correct data.rois or "
        f"data.mask, or put a volume of your own at {path}"
    )


def read_label_table(path: str | os.PathLike[str]) -> dict[int, str]:
    """Read number -> name, without 0 (unknown), from a ``.ctab`` file.

    An `InputError` if a line does not begin with a number and a name, or one comes twice.
    """
    cure = "Mend it, or delete it: then built-in names are used, or numbers"
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


def label_names(layout: Layout, subject: str, family: str) -> dict[int, str] | None:
    """Return number -> name of a family's labels.

    The first table found on disk counts; without one, the built-in names, which not every family
    has: then `None` is returned, and `numbered` names the labels of a volume. An `InputError` if a
    table gives a known name another number than the authors do: regions would be mixed up.
    """
    known = LABELS.get(family, {})
    present = [path for path in layout.label_tables(subject, family) if path.is_file()]
    if not present:
        return dict(known) or None
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
            "Delete it to use the built-in names",
        )
    return names


def numbered(family: str, numbers: Iterable[int]) -> dict[int, str]:
    """Name labels that nobody named by their family and number.

    No hyphen stands before the number: it would make them patches of one region.

    >>> numbered("MTL", [1, 2])
    {1: 'MTL_1', 2: 'MTL_2'}
    """
    return {number: f"{family}_{number}" for number in numbers}
