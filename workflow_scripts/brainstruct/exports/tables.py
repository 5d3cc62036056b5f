"""Tables of a study with the dictionaries of their columns."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from brainstruct.dictionary.describe import describe
from brainstruct.store.files import write_json
from brainstruct.store.tables import read_table


def copy_tables(
    paths: Iterable[str],
    origin: Path,
    folder: Path,
    levels: Mapping[str, Mapping[str, str]],
) -> int:
    """Copy tables, each with a data dictionary beside it, and return their number.

    They keep the places that they have in `origin`, the folder of the results; `levels` are
    column -> value -> meaning, of values that the study names itself.
    """
    count = 0
    for path in map(Path, paths):
        name = path.relative_to(origin)
        columns = list(read_table(path, nrows=0).columns)
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        described = describe(f"{origin.name}/{name.as_posix()}", columns, levels)
        write_json(described, target.with_suffix(".json"))
        count += 1
    return count
