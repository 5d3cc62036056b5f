"""Checks that everything a study reads of a data set is on disk."""

from collections.abc import Sequence
from pathlib import Path

from brainstruct.datasets.interface import DataSet
from brainstruct.errors import InputError

SHOWN = 12


def require_files(
    dataset: DataSet, files: Sequence[str], otherwise: str = ""
) -> list[dict[str, object]]:
    """Check that files exist and are not empty; return ``path`` and ``bytes`` of each.

    One `InputError` lists what is missing and how to get it, and `otherwise`, what one can do
    without.
    """
    sizes = {name: Path(name).stat().st_size if Path(name).is_file() else 0 for name in files}
    missing = [name for name, size in sizes.items() if size == 0]
    if missing:
        listed = "\n  ".join(missing[:SHOWN])
        more = f"\n  and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise InputError(
            dataset.root,
            f"{len(missing)} of {len(files)} files that this study needs are missing or empty:"
            f"\n  {listed}{more}\n",
            dataset.way_to_get_files + otherwise,
        )
    return [{"path": name, "bytes": size} for name, size in sizes.items()]
