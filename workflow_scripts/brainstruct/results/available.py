"""Which results there are, and plain words where some are not."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from brainstruct.errors import InputError
from brainstruct.store.arrays import open_dataset, provenance

Names = str | Sequence[str] | None
"""One name, several, or `None`: all there are."""

RUN = (
    "Run 'snakemake --configfile <yours> --cores 4', which makes what is missing, or name "
    "another results folder"
)


def available(root: Path) -> dict[str, list[str]]:
    """Return subject -> models that have scores, in order of their names; refuse none at all."""
    if not root.is_dir():
        raise InputError(root, "is no folder", "Name the folder of a study's results")
    found: dict[str, list[str]] = {}
    for path in sorted((root / "scores").glob("*/*.nc")):
        found.setdefault(path.parent.name, []).append(path.stem)
    if found:
        return found
    studies = sorted(path.parent.name for path in root.glob("*/scores"))
    if studies:
        raise InputError(
            root,
            f"holds no scores, but folders in it do: {', '.join(studies)}",
            f"Name one of them, {root / studies[0]}",
        )
    raise InputError(root, "holds no scores", RUN)


def chosen(kind: str, wanted: Names, there: Sequence[str], where: Path) -> list[str]:
    """Return the names that are wanted; refuse one that is not there, with those that are."""
    names = list(there) if wanted is None else listed(wanted)
    for name in names:
        if name not in there:
            raise InputError(
                where,
                f"has no {kind} '{name}'{near(name, there)} (it has {', '.join(there)})",
                RUN,
            )
    if not names:
        raise InputError(where, f"was asked for no {kind}", "Name one or more, or leave it out")
    return names


def listed(names: str | Iterable[str]) -> list[str]:
    """Return one name or several as a list, each once."""
    return [names] if isinstance(names, str) else list(dict.fromkeys(names))


def near(name: str, there: Sequence[str]) -> str:
    """Ask for the most similar name, if one is similar."""
    close = difflib.get_close_matches(name, there, n=1)
    return f", did you mean '{close[0]}'?" if close else ""


def study_options(root: Path, subject: str, model: str) -> dict[str, Any]:
    """Return what a study chose: ``ceiling``, ``ceiling_threshold`` and ``layers``."""
    with open_dataset(root / "winners" / subject / f"{model}.nc") as stored:
        options: dict[str, Any] = provenance(stored)["alignment"]
    return options
